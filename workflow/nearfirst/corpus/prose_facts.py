"""Prose on what things are: categories, the calendar and the facts of the far test tasks."""

import random
from collections.abc import Callable
from functools import partial

from . import world
from .wording import draw_sentences, number_word, read_words, series, with_article

_TEMPLATES = read_words(__file__)


def _categories(rng: random.Random) -> list[str]:
    kind = rng.choice(list(world.CATEGORIES))
    other = rng.choice([k for k in world.CATEGORIES if k != kind])
    words = rng.sample(world.CATEGORIES[kind], 3)
    fields = {"kind": kind, "other": other, "name": rng.choice(world.PEOPLE).name}
    fields |= {"thing": words[0] if words[0] in world.UNCOUNTED else with_article(words[0])}
    fields |= {"things": series(words), "alternatives": series(words, "or")}
    return draw_sentences(rng, _TEMPLATES["categories"], fields)


def _odd_one(rng: random.Random) -> list[str]:
    kind, other = rng.sample(world.COUNTED_KINDS, 2)
    stranger, name = rng.choice(world.CATEGORIES[other]), rng.choice(world.PEOPLE).name
    things = [*rng.sample(world.CATEGORIES[kind], 3), stranger]
    rng.shuffle(things)
    listed = {"things": series(things), "row": " / ".join(things)}
    fields = {"kind": kind, "stranger": stranger, "name": name, **listed}
    return draw_sentences(rng, _TEMPLATES["odd_one"], fields)


def _calendar(rng: random.Random) -> list[str]:
    d, m = rng.randrange(7), rng.randrange(12)
    day, next_day, third_day = (world.DAYS[(d + shift) % 7] for shift in range(3))
    fields = {"day": day, "next_day": next_day, "third_day": third_day}
    fields |= {"month": world.MONTHS[m], "next_month": world.MONTHS[(m + 1) % 12]}
    fields |= {"event": rng.choice(world.EVENTS), "name": rng.choice(world.PEOPLE).name}
    return draw_sentences(rng, _TEMPLATES["calendar"], fields)


def _sounds(rng: random.Random) -> list[str]:
    animal, other = rng.sample(list(world.ANIMAL_SOUNDS), 2)
    fields = {"animal": animal, "sound": world.ANIMAL_SOUNDS[animal]}
    fields |= {"other": other, "other_sound": world.ANIMAL_SOUNDS[other]}
    fields |= {"name": rng.choice(world.PEOPLE).name, "place": rng.choice(world.PLACES)}
    return draw_sentences(rng, _TEMPLATES["sounds"], fields)


def _two_facts(kind: str, facts: dict[str, str], rng: random.Random) -> list[str]:
    (thing, fact), (other, other_fact) = rng.sample(list(facts.items()), 2)
    fields = {"thing": thing, "fact": fact, "other": other, "other_fact": other_fact}
    fields["name"] = rng.choice(world.PEOPLE).name
    return draw_sentences(rng, _TEMPLATES[kind], fields)


def _jobs(rng: random.Random) -> list[str]:
    tool, worker = rng.choice(list(world.TOOL_USERS.items()))
    fields = {"tool": tool, "worker": worker, **rng.choice(world.PEOPLE).fields}
    return draw_sentences(rng, _TEMPLATES["jobs"], fields)


def _geography(rng: random.Random) -> list[str]:
    (country, city), (other, other_city) = rng.sample(list(world.CAPITALS.items()), 2)
    fields = {"country": country, "city": city, "other": other, "other_city": other_city}
    fields |= {"name": rng.choice(world.PEOPLE).name, "number": number_word(rng.randint(2, 20))}
    return draw_sentences(rng, _TEMPLATES["geography"], fields)


FACT_KINDS: tuple[Callable[[random.Random], list[str]], ...] = (
    _categories,
    _odd_one,
    _calendar,
    _sounds,
    partial(_two_facts, "colours", world.COLOURS),
    partial(_two_facts, "materials", world.MATERIALS),
    _jobs,
    _geography,
)
