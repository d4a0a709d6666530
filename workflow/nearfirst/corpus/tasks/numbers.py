"""Families on numbers and lists: arithmetic in words, counting, comparison and order."""

import random
from collections.abc import Callable
from functools import partial

from .. import scenes, world
from ..task import read_tasks
from ..wording import counted, listing, number_word, plural, with_article

_COUNTED = ("fruit", "bird", "vegetable", "flower")
_OTHERS = [thing for kind in ("tool", "vehicle", "mammal") for thing in world.CATEGORIES[kind]]


def _addition(rng: random.Random) -> dict[str, str]:
    a, b = rng.randint(1, 12), rng.randint(1, 12)
    return {"a": number_word(a), "b": number_word(b), "answer": number_word(a + b)}


def _subtraction(rng: random.Random) -> dict[str, str]:
    a, b = rng.randint(1, 12), rng.randint(1, 12)
    return {"a": number_word(a + b), "b": number_word(b), "difference": number_word(a)}


def _doubling(rng: random.Random) -> dict[str, str]:
    a = rng.randint(2, 30)
    return {"a": number_word(a), "answer": number_word(2 * a)}


def _story(grows: bool, rng: random.Random) -> dict[str, str]:
    name, other = (person.name for person in rng.sample(world.PEOPLE, 2))
    noun, a, b = rng.choice(world.COUNTABLES), rng.randint(2, 9), rng.randint(2, 9)
    before, after = (a, a + b) if grows else (a + b, a)
    fields = {"name": name, "other": other, "b": number_word(b), "before": counted(before, noun)}
    story = rng.choice(scenes.GAINS if grows else scenes.LOSSES).format_map(fields)
    return {"story": story, "things": plural(noun), "answer": counted(after, noun)}


def count_items(rng: random.Random) -> dict[str, str]:
    """Draw a list and its length."""
    words = rng.sample(world.THINGS, rng.randint(2, 8))
    return {"items": listing(words), "answer": number_word(len(words))}


def _count_letters(rng: random.Random) -> dict[str, str]:
    word = rng.choice(world.THINGS)
    return {"word": word, "count": number_word(len(word))}


def _count_of_kind(rng: random.Random) -> dict[str, str]:
    kind = rng.choice(_COUNTED)
    members = rng.sample(world.CATEGORIES[kind], rng.randint(1, 4))
    words = members + rng.sample(_OTHERS, rng.randint(1, 4))
    rng.shuffle(words)
    verb, things = "is" if len(members) == 1 else "are", counted(len(members), kind)
    return {"items": listing(words), "kind": plural(kind), "verb": verb, "things": things}


def _count_repeats(rng: random.Random) -> dict[str, str]:
    word, *others = rng.sample(world.THINGS, 4)
    times = rng.randint(1, 4)
    words = [word] * times + rng.choices(others, k=rng.randint(2, 4))
    rng.shuffle(words)
    return {"word": word, "items": listing(words), "answer": number_word(times)}


def _larger_number(rng: random.Random) -> dict[str, str]:
    a, b = rng.sample(range(1, 60), 2)
    return {"a": number_word(a), "b": number_word(b), "answer": number_word(max(a, b))}


def _heavier_animal(rng: random.Random) -> dict[str, str]:
    light, heavy = sorted(rng.sample(range(len(world.ANIMALS_BY_WEIGHT)), 2))
    pair = [light, heavy]
    rng.shuffle(pair)
    a, b = (with_article(world.ANIMALS_BY_WEIGHT[i]) for i in pair)
    heavier, name = world.ANIMALS_BY_WEIGHT[heavy], rng.choice(world.PEOPLE).name
    return {"a": a, "b": b, "name": name, "heavier": heavier}


def _dearer_thing(rng: random.Random) -> dict[str, str]:
    a, b = rng.sample(world.PURCHASES, 2)
    price, other = rng.sample(range(2, 30), 2)
    prices = {"price": number_word(price), "other": number_word(other)}
    return {"a": a, "b": b, **prices, "dearer": a if price > other else b}


def _earlier_time(rng: random.Random) -> dict[str, str]:
    a, b = (person.name for person in rng.sample(world.PEOPLE, 2))
    hour, other = rng.sample(range(1, 12), 2)
    arrivals = f"{a} arrives at {number_word(hour)} and {b} at {number_word(other)} today."
    return {"a": a, "b": b, "arrivals": arrivals, "answer": a if hour < other else b}


def _items(max_items: int, rng: random.Random) -> dict[str, str]:
    items = rng.sample(world.THINGS, rng.randint(3, max_items))
    ends = {"first": items[0], "last": items[-1]}
    return {"items": listing(items), "reversed": listing(reversed(items)), **ends}


def _without_item(rng: random.Random) -> dict[str, str]:
    items = rng.sample(world.THINGS, rng.randint(3, 5))
    item = rng.choice(items)
    rest = listing(other for other in items if other != item)
    return {"items": listing(items), "item": item, "answer": rest}


def _alphabet(rng: random.Random) -> dict[str, str]:
    # Different first letters: the order shows without looking further into the words.
    by_letter = {word[0]: word for word in rng.sample(world.THINGS, len(world.THINGS))}
    items = [by_letter[letter] for letter in rng.sample(sorted(by_letter), rng.randint(3, 4))]
    return {"items": listing(items), "answer": listing(sorted(items))}


def _numbers(written: Callable[[int], str], descending: bool, rng: random.Random) -> dict[str, str]:
    numbers = rng.sample(range(1, 40), rng.randint(3, 4))
    answer = listing(map(written, sorted(numbers, reverse=descending)))
    return {"items": listing(map(written, numbers)), "answer": answer}


def _by_size(rng: random.Random) -> dict[str, str]:
    order = rng.sample(range(len(world.ANIMALS_BY_WEIGHT)), rng.randint(3, 4))
    return {
        "items": listing(world.ANIMALS_BY_WEIGHT[i] for i in order),
        "answer": " < ".join(world.ANIMALS_BY_WEIGHT[i] for i in sorted(order)),
    }


TASKS = read_tasks(
    __file__,
    {
        "arithmetic_addition": (_addition, "{answer}"),
        "arithmetic_subtraction": (_subtraction, "The answer is {difference}."),
        "arithmetic_doubling": (_doubling, "{answer}"),
        "arithmetic_story_gain": (partial(_story, True), "{answer}"),
        "arithmetic_story_loss": (partial(_story, False), "{answer}"),
        "count_items": (count_items, "{answer}"),
        "count_letters": (_count_letters, "{count} letters"),
        "count_of_kind": (_count_of_kind, "There {verb} {things}."),
        "count_repeats": (_count_repeats, "{answer}"),
        "compare_numbers": (_larger_number, "{answer}"),
        "compare_animal_weight": (_heavier_animal, "the {heavier}"),
        "compare_prices": (_dearer_thing, "The {dearer} costs more."),
        "compare_times": (_earlier_time, "{answer}"),
        "list_first_item": (partial(_items, 5), "{first}"),
        "list_last_item": (partial(_items, 5), "The last item is {last}."),
        "list_reversed": (partial(_items, 4), "{reversed}"),
        "list_without_item": (_without_item, "{answer}"),
        "order_alphabetically": (_alphabet, "{answer}"),
        "order_numbers_ascending": (partial(_numbers, number_word, False), "{answer}"),
        "order_numbers_descending": (partial(_numbers, str, True), "{answer}"),
        "order_animals_by_size": (_by_size, "{answer}"),
    },
)
