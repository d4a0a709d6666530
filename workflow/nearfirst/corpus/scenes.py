"""Scenes of letters, lists and signs: the topics of the unrelated tasks and of small talk."""

import random

from .wording import Fields, read_words


def draw(rng: random.Random) -> Fields:
    """Draw the fields that a scene may name, and the tasks' answers about them."""
    words: dict[str, list[str]] = read_words(__file__)
    name, other = rng.sample(words["names"], 2)
    items = rng.sample(words["things"], rng.randint(3, 4))
    item = rng.choice(items)
    numbers = rng.sample(range(2, 60), 3)
    fields = {field: rng.choice(words[f"{field}s"]) for field in ("title", "surname", "day")}
    fields |= {field: rng.choice(words[f"{field}s"]) for field in ("event", "gift")}
    fields |= {"name": name, "other": other, "item": item, "number": str(numbers[0])}
    phrase = f"{rng.choice(words['phrases'])} on {fields['day']}"
    fields |= {"phrase": phrase, "shouted": phrase.upper(), "spelled": "-".join(item)}
    fields |= {"joined": " and ".join(items), "length": str(len(items))}
    fields["numbered"] = " ".join(f"({n}) {thing}" for n, thing in enumerate(items, start=1))
    lists = {"items": items, "reversed": items[::-1], "sorted": sorted(items)}
    lists["rest"] = [thing for thing in items if thing != item]
    ascending = sorted(numbers)
    orders = {"numbers": numbers, "ascending": ascending, "descending": ascending[::-1]}
    lists |= {name: list(map(str, order)) for name, order in orders.items()}
    return Fields(fields, **{name: ", ".join(values) for name, values in lists.items()})
