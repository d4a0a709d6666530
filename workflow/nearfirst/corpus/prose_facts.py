"""Prose on what things are: categories, the calendar and the facts of the far test tasks."""

import random
from collections.abc import Callable

from .wording import number_word, sentence_case, series, with_article
from .world import (
    ANIMAL_SOUNDS,
    CAPITALS,
    CATEGORIES,
    COLOURS,
    DAYS,
    EVENTS,
    MATERIALS,
    MONTHS,
    PEOPLE,
    PLACES,
    TOOL_USERS,
    UNCOUNTED,
)


def _categories(rng: random.Random) -> list[str]:
    kind = rng.choice(list(CATEGORIES))
    other = rng.choice([k for k in CATEGORIES if k != kind])
    words = rng.sample(CATEGORIES[kind], 3)
    first = sentence_case(words[0] if kind == "sport" else with_article(words[0]))
    name = rng.choice(PEOPLE).name
    return rng.choice(
        (
            [f"{first} is {with_article(kind)}."],
            [f"{first} is {with_article(kind)} and not {with_article(other)}."],
            [f"{name} knows that {series(words)} all belong to one category, {kind}."],
            [f"Every {kind} pleased {name}, be it {series(words, 'or')}."],
        )
    )


def _odd_one(rng: random.Random) -> list[str]:
    kind, other = rng.sample([k for k in CATEGORIES if not set(CATEGORIES[k]) & UNCOUNTED], 2)
    stranger, name = rng.choice(CATEGORIES[other]), rng.choice(PEOPLE).name
    things = [*rng.sample(CATEGORIES[kind], 3), stranger]
    rng.shuffle(things)
    a_kind = with_article(kind)
    return rng.choice(
        (
            [f"Among {series(things)}, the {stranger} is the odd one, since it is not {a_kind}."],
            [f"{name} had drawn {series(things)}.", f"Only the {stranger} was not {a_kind}."],
            [f"{name} saw {' / '.join(things)}, and took away the {stranger}."],
        )
    )


def _calendar(rng: random.Random) -> list[str]:
    d, m = rng.randrange(7), rng.randrange(12)
    day, following, third = DAYS[d], DAYS[(d + 1) % 7], DAYS[(d + 2) % 7]
    month, after = MONTHS[m], MONTHS[(m + 1) % 12]
    event, name = rng.choice(EVENTS), rng.choice(PEOPLE).name
    return rng.choice(
        (
            [f"{following} follows {day}, and {third} follows {following}."],
            [f"It was {day}, so {name} would go to the {event} tomorrow, on {following}."],
            [f"It was {following}, and {name} had been at the {event} yesterday, on {day}."],
            [f"On {day} {name} said that the {event} was two days away, on {third}."],
            [f"{after} comes after {month}, and {month} comes before {after}."],
            [f"In {month} {name} looked forward to the {event} of the next month, {after}."],
            [f"In {after} {name} still talked of the {event} of last month, {month}."],
        )
    )


def _sounds(rng: random.Random) -> list[str]:
    animal, second = rng.sample(list(ANIMAL_SOUNDS), 2)
    sound, other, name = ANIMAL_SOUNDS[animal], ANIMAL_SOUNDS[second], rng.choice(PEOPLE).name
    place, a_animal = rng.choice(PLACES), with_article(animal)
    return rng.choice(
        (
            [f"{sentence_case(a_animal)} {sound}, while {with_article(second)} {other}."],
            [f"When the {animal} {sound}, {name} can hear it from the {place}."],
            [f"Near the {place} lives {a_animal}.", f"It {sound} when {name} comes."],
            [f"{name} has {a_animal} that {sound} every morning."],
        )
    )


def _colours(rng: random.Random) -> list[str]:
    (thing, colour), (other, other_colour) = rng.sample(list(COLOURS.items()), 2)
    name = rng.choice(PEOPLE).name
    return rng.choice(
        (
            [f"{sentence_case(thing)} is {colour}, and {other} is {other_colour}."],
            [f"The cloth of {name} was as {colour} as {thing}."],
            [f"{name} used {colour} for {thing} in the picture and {other_colour} for {other}."],
            [f"Like {thing}, the wall was {colour}."],
        )
    )


def _materials(rng: random.Random) -> list[str]:
    (thing, material), (other, other_material) = rng.sample(list(MATERIALS.items()), 2)
    name, a_thing = rng.choice(PEOPLE).name, with_article(thing)
    return rng.choice(
        (
            [f"{sentence_case(a_thing)} is made of {material}."],
            [f"{name} has {a_thing} of {material} and {with_article(other)} of {other_material}."],
            [f"The {thing} of {name}, made of {material}, lay beside the {other}."],
            [f"For {a_thing} one needs {material}, for {with_article(other)} {other_material}."],
        )
    )


def _jobs(rng: random.Random) -> list[str]:
    tool, worker = rng.choice(list(TOOL_USERS.items()))
    person = rng.choice(PEOPLE)
    a_tool, a_worker = with_article(tool), with_article(worker)
    return rng.choice(
        (
            [f"{sentence_case(a_worker)} works with {a_tool}."],
            [f"{person.name} is {a_worker}, so {person.subject} uses {a_tool} every day."],
            [f"The {tool} belongs to {person.name}, {a_worker} from the village."],
            [
                f"Because {person.name} had {a_tool}, it was "
                f"clear that {person.subject} was {a_worker}."
            ],
        )
    )


def _geography(rng: random.Random) -> list[str]:
    (country, city), (other, other_city) = rng.sample(list(CAPITALS.items()), 2)
    name, days = rng.choice(PEOPLE).name, number_word(rng.randint(2, 20))
    return rng.choice(
        (
            [f"{city} is the capital of {country}."],
            [f"The capital of {country} is {city}, and that of {other} is {other_city}."],
            [f"{name} lived for {days} years in {city}, the capital of {country}."],
            [f"{name} went to {country} and stayed {days} days in {city}, its capital."],
        )
    )


FACT_KINDS: tuple[Callable[[random.Random], list[str]], ...] = (
    _categories,
    _odd_one,
    _calendar,
    _sounds,
    _colours,
    _materials,
    _jobs,
    _geography,
)
