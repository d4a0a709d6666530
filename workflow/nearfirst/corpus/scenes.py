"""Scenes of letters, lists and signs: what the unrelated tasks and small talk are about."""

import random

from .wording import Fields, read_words

_WORDS = read_words(__file__)


def draw(rng: random.Random) -> Fields:
    """Draw all that a scene may name, and what the tasks answer about it."""
    words: dict[str, list[str]] = _WORDS
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
    fields["numbered"] = " ".join(f"({n}) {each}" for n, each in enumerate(items, start=1))
    lists = {"items": items, "reversed": items[::-1], "sorted": sorted(items)}
    lists["rest"] = [each for each in items if each != item]
    orders = {"numbers": numbers, "ascending": sorted(numbers)}
    orders["descending"] = orders["ascending"][::-1]
    lists |= {name: [str(number) for number in order] for name, order in orders.items()}
    return Fields(fields, **{name: ", ".join(each) for name, each in lists.items()})
