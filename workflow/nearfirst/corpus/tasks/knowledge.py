"""Families on knowledge: categories, the calendar, letters and the facts of the far test tasks.

The far tasks ask for skills that the prose teaches and no training task asks for; their wording
differs from that of the training families too.
"""

import random
from collections.abc import Mapping
from functools import partial

from .. import scenes, world
from ..task import look_up, read_tasks
from ..wording import series, with_article


def _category(kinds: tuple[str, ...], rng: random.Random) -> dict[str, str]:
    kind = rng.choice(kinds)
    word = rng.choice(world.CATEGORIES[kind])
    return {"word": word, "options": series(rng.sample(kinds, len(kinds)), "or"), "kind": kind}


def _category_yes_no(rng: random.Random) -> dict[str, str]:
    kind = rng.choice(world.COUNTED_KINDS)
    yes = rng.random() < 0.5
    claimed = kind if yes else rng.choice([other for other in world.COUNTED_KINDS if other != kind])
    return {
        "word": with_article(rng.choice(world.CATEGORIES[kind])),
        "claimed": with_article(claimed),
        "things": world.CATEGORY_PLURALS.get(claimed, claimed + "s"),
        "answer": "Yes" if yes else "No",
    }


def _shifted(names: list[str], shift: int, rng: random.Random) -> dict[str, str]:
    index = rng.randrange(len(names))
    asked = names[(index + shift) % len(names)]
    return {"given": names[index], "event": rng.choice(world.EVENTS), "asked": asked}


def _letter(rng: random.Random) -> dict[str, str]:
    person, guest = rng.sample(world.PEOPLE, 2)
    return {
        "name": person.name,
        "guest": guest.name,
        "title": rng.choice(("Mr.", "Mrs.", "Dr.")),
        "surname": rng.choice(world.SURNAMES),
        "gift": rng.choice(world.PURCHASES),
        "event": rng.choice(world.PARTIES),
        "day": rng.choice(world.DAYS),
        "relative": rng.choice(("cousin", "friend", "neighbour")),
    }


def _fact(facts: Mapping[str, str], field: str, rng: random.Random) -> dict[str, str]:
    """Ask for a fact about a thing; the field names the thing with its article."""
    fields = look_up(facts, "thing", rng)
    return {**fields, field: with_article(fields["thing"])}


def _odd_one_out(rng: random.Random) -> dict[str, str]:
    kind, strange_kind = rng.sample(world.COUNTED_KINDS, 2)
    stranger = rng.choice(world.CATEGORIES[strange_kind])
    things = [*rng.sample(world.CATEGORIES[kind], 3), stranger]
    rng.shuffle(things)
    return {"things": " / ".join(things), "stranger": stranger, "kind": kind}


def _capital(rng: random.Random) -> dict[str, str]:
    fields = look_up(world.CAPITALS, "country", rng)
    return {**fields, "name": rng.choice(world.PEOPLE).name}


def _result(rng: random.Random) -> dict[str, str]:
    cause, right, wrong = rng.choice(scenes.RESULTS)
    outcomes = [right, wrong]
    rng.shuffle(outcomes)
    event = f"{rng.choice(world.PEOPLE).name} {cause}"
    return {"event": event, "first": outcomes[0], "second": outcomes[1], "right": right}


def _feeling(rng: random.Random) -> dict[str, str]:
    person = rng.choice(world.PEOPLE)
    event, feeling = rng.choice(scenes.FEELINGS)
    text = f"{person.name} {event.format_map(person.fields)}"
    return {"event": text, "name": person.name, "feeling": feeling}


_month_after, _month_before = (partial(_shifted, world.MONTHS, shift) for shift in (1, -1))
_PLANTS = ("fruit", "vegetable", "flower")
_HOUSEHOLD = ("tool", "piece of furniture", "piece of clothing")
_LEISURE = ("musical instrument", "vehicle", "sport")

TASKS = read_tasks(
    __file__,
    {
        "category_of_animal": (partial(_category, world.ANIMAL_KINDS), "{kind}"),
        "category_of_plant": (partial(_category, _PLANTS), "{A_word} is {a_kind}."),
        "category_of_household_thing": (partial(_category, _HOUSEHOLD), "{kind}"),
        "category_yes_no": (_category_yes_no, "{answer}"),
        "category_of_leisure_thing": (partial(_category, _LEISURE), "{kind}"),
        "calendar_day_after": (partial(_shifted, world.DAYS, 1), "{asked}"),
        "calendar_day_before": (partial(_shifted, world.DAYS, -1), "It was on {asked}."),
        "calendar_month_after": (_month_after, "It is in {asked}."),
        "calendar_month_before": (_month_before, "The {event} was in {asked}."),
        "calendar_two_days_after": (partial(_shifted, world.DAYS, 2), "{asked}"),
        "letter_opening": (_letter, "Dear {title} {surname},"),
        "letter_thanks": (_letter, "Dear {name}, thank you for the {gift}."),
        "letter_closing": (_letter, "Yours sincerely, {name} {surname}"),
        "letter_invitation": (_letter, "Dear {guest}, please come to my {event} on {day}."),
        "animal_sound": (partial(_fact, world.ANIMAL_SOUNDS, "animal"), "It {answer}."),
        "object_colour": (partial(look_up, world.COLOURS, "thing"), "{answer}"),
        "odd_one_out": (_odd_one_out, "The {stranger}, since it is not {a_kind}."),
        "tool_user": (partial(_fact, world.TOOL_USERS, "tool"), "{a_answer}"),
        "capital_city": (_capital, "{answer}"),
        "likely_result": (_result, "{Right}."),
        "object_material": (partial(look_up, world.MATERIALS, "thing"), "of {answer}"),
        "feeling_of_person": (_feeling, "{name} feels {feeling}."),
    },
)
