"""The family of simple inference: conclusions from two or three given sentences."""

import random

from ..task import Make, Task
from ..wording import sentence_case, with_article, word_list
from ..world import CATEGORIES, DAYS, PEOPLE, PLACES

_PETS = word_list("Rex Bobby Luna Milo Bella Coco Daisy Max")
_CONTAINERS = word_list("box drawer basket bag cupboard suitcase")
_SMALL_THINGS = word_list("key ring coin letter watch map pen ticket")
_KINDS = ("bird", "fish", "insect", "mammal")


def _transitive(more: str, less: str) -> Make:
    """Rank three people and ask about the outer two."""

    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        a, b, c = (person.name for person in rng.sample(PEOPLE, 3))
        premises = [f"{a} is {more} than {b}.", f"{b} is {more} than {c}."]
        yes = rng.random() < 0.5
        first, second = (a, c) if yes else (c, a)
        fields = {
            "premises": " ".join(premises),
            "claim": f"{first} is {more} than {second}",
            "question": f"Is {first} {more} than {second}?",
        }
        if rng.random() < 0.3:
            # The reverse relation, so that the order of the names alone does not give it away.
            fields["claim"] = f"{first} is {less} than {second}"
            fields["question"] = f"Is {first} {less} than {second}?"
            yes = not yes
        return fields, "Yes" if yes else "No"

    return make


def _syllogism(rng: random.Random) -> tuple[dict[str, str], str]:
    kind, other = rng.sample(_KINDS, 2)
    member, pet = rng.choice(CATEGORIES[kind]), rng.choice(_PETS)
    yes = rng.random() < 0.5
    asked = kind if yes else other
    premises = f"Every {member} is {with_article(kind)}. {pet} is {with_article(member)}."
    fields = {
        "premises": premises,
        "claim": f"{pet} is {with_article(asked)}",
        "question": f"Is {pet} {with_article(asked)}?",
    }
    return fields, f"Yes, {pet} is {with_article(kind)}." if yes else f"No, {pet} is not."


def _containment(rng: random.Random) -> tuple[dict[str, str], str]:
    thing, container = rng.choice(_SMALL_THINGS), rng.choice(_CONTAINERS)
    place, other = rng.sample(PLACES, 2)
    yes = rng.random() < 0.5
    asked = place if yes else other
    fields = {
        "premises": f"The {thing} is in the {container}. The {container} is at the {place}.",
        "question": f"Is the {thing} at the {asked}?",
        "claim": f"the {thing} is at the {asked}",
    }
    return fields, "true" if yes else "false"


def _condition(rng: random.Random) -> tuple[dict[str, str], str]:
    person = rng.choice(PEOPLE)
    place, other = rng.sample(PLACES, 2)
    weather, opposite = rng.choice((("rainy", "dry"), ("warm", "cold"), ("sunny", "cloudy")))
    holds = rng.random() < 0.5
    premises = (
        f"On {weather} days {person.name} goes to the {place}, on {opposite} days to the {other}. "
        f"This {rng.choice(DAYS)} is {weather if holds else opposite}."
    )
    fields = {"premises": premises, "name": person.name, "subject": person.subject}
    return fields, sentence_case(f"{person.subject} goes to the {place if holds else other}.")


TASKS = (
    Task(
        "inference_taller",
        "inference",
        "train",
        (
            "Read the two sentences and answer Yes or No. {premises} {question}",
            "{premises} Does it follow that {claim}? Yes or No?",
            "Use the facts to answer the question with Yes or No.\n{premises}\n{question}",
        ),
        _transitive("taller", "shorter"),
    ),
    Task(
        "inference_category",
        "inference",
        "train",
        (
            "Read the two sentences and answer the question in full. {premises} {question}",
            "{premises} Can we conclude that {claim}? Answer in a sentence.",
            "Use the facts to answer the question in a sentence.\n{premises}\n{question}",
        ),
        _syllogism,
    ),
    Task(
        "inference_location",
        "inference",
        "train",
        (
            "Read the two sentences and judge the claim, true or false. {premises} Claim: {claim}.",
            "{premises} Say true or false: {claim}.",
            "Use the facts to decide between true and false.\n{premises}\n{question}",
        ),
        _containment,
    ),
    Task(
        "inference_condition",
        "inference",
        "train",
        (
            "Read the two sentences and answer the question. {premises} Where does {name} go?",
            "{premises} Conclude from this where {subject} goes.",
            "Use the facts to answer in a sentence.\n{premises}\nWhere does {name} go this time?",
        ),
        _condition,
    ),
    Task(
        "inference_older",
        "inference",
        "near",
        (
            "Read the two sentences and answer Yes or No. {premises} {question}",
            "{premises} Does it follow that {claim}? Yes or No?",
            "Use the facts to answer the question with Yes or No.\n{premises}\n{question}",
        ),
        _transitive("older", "younger"),
    ),
)
