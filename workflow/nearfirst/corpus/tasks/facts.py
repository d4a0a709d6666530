"""The far test tasks: skills that the prose teaches and no training task asks for.

Their wording keeps away from that of the training families too.
"""

import random

from ..scenes import FEELINGS, RESULTS
from ..task import Task
from ..wording import sentence_case, with_article
from ..world import (
    ANIMAL_SOUNDS,
    CAPITALS,
    CATEGORIES,
    COLOURS,
    MATERIALS,
    PEOPLE,
    TOOL_USERS,
    UNCOUNTED,
)

_DISTINCT_KINDS = [kind for kind in CATEGORIES if not set(CATEGORIES[kind]) & UNCOUNTED]


def _sound(rng: random.Random) -> tuple[dict[str, str], str]:
    animal = rng.choice(list(ANIMAL_SOUNDS))
    return {"animal": with_article(animal)}, f"It {ANIMAL_SOUNDS[animal]}."


def _colour(rng: random.Random) -> tuple[dict[str, str], str]:
    thing = rng.choice(list(COLOURS))
    return {"thing": thing}, COLOURS[thing]


def _odd_one_out(rng: random.Random) -> tuple[dict[str, str], str]:
    kind, stranger_kind = rng.sample(_DISTINCT_KINDS, 2)
    stranger = rng.choice(CATEGORIES[stranger_kind])
    things = [*rng.sample(CATEGORIES[kind], 3), stranger]
    rng.shuffle(things)
    answer = f"The {stranger}, since it is not {with_article(kind)}."
    return {"things": " / ".join(things)}, answer


def _tool_user(rng: random.Random) -> tuple[dict[str, str], str]:
    tool = rng.choice(list(TOOL_USERS))
    return {"tool": with_article(tool)}, with_article(TOOL_USERS[tool])


def _capital(rng: random.Random) -> tuple[dict[str, str], str]:
    country = rng.choice(list(CAPITALS))
    return {"country": country, "name": rng.choice(PEOPLE).name}, CAPITALS[country]


def _result(rng: random.Random) -> tuple[dict[str, str], str]:
    cause, right, wrong = rng.choice(RESULTS)
    outcomes = [right, wrong]
    rng.shuffle(outcomes)
    fields = {
        "event": f"{rng.choice(PEOPLE).name} {cause}",
        "first": outcomes[0],
        "second": outcomes[1],
    }
    return fields, f"{sentence_case(right)}."


def _material(rng: random.Random) -> tuple[dict[str, str], str]:
    thing = rng.choice(list(MATERIALS))
    return {"thing": thing, "a_thing": with_article(thing)}, f"of {MATERIALS[thing]}"


def _feeling(rng: random.Random) -> tuple[dict[str, str], str]:
    person = rng.choice(PEOPLE)
    event, feeling = rng.choice(FEELINGS)
    text = f"{person.name} {event.format(possessive=person.possessive)}"
    return {"event": text, "name": person.name}, f"{person.name} feels {feeling}."


TASKS = (
    Task(
        "animal_sound",
        "animal_sound",
        "far",
        (
            "Children at the zoo ask what kind of noise {animal} makes. Explain it.",
            "Picture {animal} that wants to be heard. What does it do?",
            "Suppose you hear the voice of {animal} behind a fence. Describe the sound.",
            "Imagine {animal} with an open mouth. Which noise comes out of it?",
            "What would you hear if {animal} made a noise right beside you?",
        ),
        _sound,
    ),
    Task(
        "object_colour",
        "object_colour",
        "far",
        (
            "A painter mixes paint for {thing}. Which paint should be used?",
            "Close your eyes and think of {thing}. Which colour do you see?",
            "My little son draws {thing} and needs a crayon. Which colour should he take?",
            "What colour would {thing} have in a photograph taken by daylight?",
            "A blind man wonders how {thing} looks. Tell him the usual colour.",
        ),
        _colour,
    ),
    Task(
        "odd_one_out",
        "odd_one_out",
        "far",
        (
            "One of these four is a stranger among the rest. Explain which. {things}",
            "Three of them go together, one does not fit. Which, and why? {things}",
            "Spot the one that is out of place and justify your choice: {things}",
        ),
        _odd_one_out,
    ),
    Task(
        "tool_user",
        "tool_user",
        "far",
        (
            "Guess my job: in my daily work I cannot do without {tool}. Who am I?",
            "Somebody at work is holding {tool}. What might be the profession of this person?",
            "For whose trade would you make {tool}? Name the worker.",
            "An apprentice learns to handle {tool}. What will the apprentice become?",
            "I found {tool} that somebody needs for a living. Who might be looking for it?",
        ),
        _tool_user,
    ),
    Task(
        "capital_city",
        "capital_city",
        "far",
        (
            "{name} flies to the capital of {country}. Where does the plane land?",
            "On a map of {country}, the seat of government is marked by a star. Which city is it?",
            "Geography quiz for {name}: which city is the capital of {country}?",
        ),
        _capital,
    ),
    Task(
        "likely_result",
        "likely_result",
        "far",
        (
            "{event}. What happened as a result: {first}, or {second}?",
            "Suppose that {event}. What would you expect next: {first}, or {second}?",
            "Here is the start of an episode. {event}. Continue it: {first}, or {second}.",
        ),
        _result,
    ),
    Task(
        "object_material",
        "object_material",
        "far",
        (
            "From what stuff would a craftsman normally make {a_thing}?",
            "A factory produces one {thing} after another. Of what are they made?",
            "Touch {a_thing} with your hand. What material do you feel?",
            "Somebody wants to recycle {a_thing}. Of which material does it mainly consist?",
            "I am curious how {a_thing} is manufactured. What is it usually made of?",
        ),
        _material,
    ),
    Task(
        "feeling_of_person",
        "feeling_of_person",
        "far",
        (
            "{event}. What emotion does this probably cause: happiness, sadness, anger, fear or "
            "tiredness?",
            "Put yourself in the place of {name}. {event}. How does {name} feel?",
            "{event}. Look at the face of {name}: is it happy, sad, angry, afraid or tired?",
        ),
        _feeling,
    ),
)
