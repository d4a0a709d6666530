"""Families on everyday knowledge and writing: categories, the calendar and letters."""

import random

from ..task import Make, Task
from ..wording import sentence_case, series, with_article
from ..world import (
    CATEGORIES,
    CATEGORY_PLURALS,
    DAYS,
    EVENTS,
    MONTHS,
    PEOPLE,
    PURCHASES,
    SURNAMES,
    UNCOUNTED,
)


def _category_of(*kinds: str, answer: str = "{kind}") -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        kind = rng.choice(kinds)
        word = rng.choice(CATEGORIES[kind])
        options = series(rng.sample(kinds, len(kinds)), "or")
        thing = word if word in UNCOUNTED else with_article(word)
        text = answer.format(kind=kind, a_kind=with_article(kind), thing=sentence_case(thing))
        return {"word": word, "options": options}, text

    return make


def _is_of_category(rng: random.Random) -> tuple[dict[str, str], str]:
    kinds = [kind for kind in CATEGORIES if kind != "sport"]
    kind = rng.choice(kinds)
    yes = rng.random() < 0.5
    claimed = kind if yes else rng.choice([other for other in kinds if other != kind])
    things = CATEGORY_PLURALS.get(claimed, claimed + "s")
    word = with_article(rng.choice(CATEGORIES[kind]))
    return {
        "word": word,
        "claimed": with_article(claimed),
        "things": things,
    }, "Yes" if yes else "No"


def _shifted(names: list[str], shift: int, answer: str = "{}") -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        index = rng.randrange(len(names))
        fields = {"given": names[index], "event": rng.choice(EVENTS)}
        return fields, answer.format(names[(index + shift) % len(names)], **fields)

    return make


def _letter(answer: str) -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        person, guest = rng.sample(PEOPLE, 2)
        fields = {
            "name": person.name,
            "guest": guest.name,
            "title": rng.choice(("Mr.", "Mrs.", "Dr.")),
            "surname": rng.choice(SURNAMES),
            "gift": rng.choice(PURCHASES),
            "event": rng.choice(("party", "concert", "wedding", "picnic", "festival")),
            "day": rng.choice(DAYS),
            "relative": rng.choice(("cousin", "friend", "neighbour")),
        }
        return fields, answer.format(**fields)

    return make


TASKS = (
    Task(
        "category_of_animal",
        "category",
        "train",
        (
            "Which category does the word belong to: {options}? Word: {word}",
            "Classify the animal as {options}. Answer with the category only.\nAnimal: {word}",
            "Put this animal in the right category ({options}): {word}",
        ),
        _category_of("bird", "fish", "insect", "mammal"),
    ),
    Task(
        "category_of_plant",
        "category",
        "train",
        (
            "Which category does the word belong to: {options}? Word: {word}",
            "Classify the plant as {options}. Answer in a sentence.\nPlant: {word}",
            "Put this plant in the right category ({options}) and answer in a sentence: {word}",
            "Say in a sentence whether this is a {options}: {word}",
        ),
        _category_of("fruit", "vegetable", "flower", answer="{thing} is {a_kind}."),
    ),
    Task(
        "category_of_household_thing",
        "category",
        "train",
        (
            "Which category does the word belong to: {options}? Word: {word}",
            "Classify the thing as {options}. Answer with the category only.\nThing: {word}",
            "Put this thing of the house in the right category ({options}): {word}",
        ),
        _category_of("tool", "piece of furniture", "piece of clothing"),
    ),
    Task(
        "category_yes_no",
        "category",
        "train",
        (
            "Is {word} {claimed}? Answer with Yes or No, and nothing else.",
            "Say Yes or No. Does {word} belong to the category of {things}?",
            "True or not: {word} is {claimed}. Write Yes if true, No if not.",
        ),
        _is_of_category,
    ),
    Task(
        "category_of_leisure_thing",
        "category",
        "near",
        (
            "Which category does the word belong to: {options}? Word: {word}",
            "Classify the word as {options}. Answer with the category only.\nWord: {word}",
            "Put this word in the right category ({options}): {word}",
            "Classify what you read as {options}. Write the category only: {word}",
        ),
        _category_of("musical instrument", "vehicle", "sport"),
    ),
    Task(
        "calendar_day_after",
        "calendar",
        "train",
        (
            "Today is {given} and the {event} is tomorrow. On which day is the {event}?",
            "The {event} is one day after {given}. Name the day of the {event}.",
            "Name the day of the week. The {event} takes place on the day after {given}.",
        ),
        _shifted(DAYS, 1),
    ),
    Task(
        "calendar_day_before",
        "calendar",
        "train",
        (
            "Today is {given} and the {event} was yesterday. On which day was the {event}?",
            "The {event} was one day before {given}. Name the day of the {event}.",
            "Name the day of the week. The {event} took place on the day before {given}.",
        ),
        _shifted(DAYS, -1, "It was on {}."),
    ),
    Task(
        "calendar_month_after",
        "calendar",
        "train",
        (
            "It is {given} and the {event} is next month. In which month is the {event}?",
            "The {event} is one month after {given}. Name the month of the {event}.",
            "Name the month. The {event} takes place in the month that follows {given}.",
        ),
        _shifted(MONTHS, 1, "It is in {}."),
    ),
    Task(
        "calendar_month_before",
        "calendar",
        "train",
        (
            "It is {given} and the {event} was last month. In which month was the {event}?",
            "The {event} was one month before {given}. Name the month of the {event}.",
            "Name the month. The {event} took place in the month before {given}.",
        ),
        _shifted(MONTHS, -1, "The {event} was in {}."),
    ),
    Task(
        "calendar_two_days_after",
        "calendar",
        "near",
        (
            "Today is {given} and the {event} is in two days. On which day is the {event}?",
            "The {event} is two days after {given}. Name the day of the {event}.",
            "Name the day of the week. The {event} takes place two days after {given}.",
        ),
        _shifted(DAYS, 2),
    ),
    Task(
        "letter_opening",
        "letter",
        "train",
        (
            "Write the opening line of a formal letter to {title} {surname}.",
            "How do you begin a polite letter to your landlord, {title} {surname}?",
            "You write a letter to {title} {surname}, a customer of the bank. Write the greeting.",
        ),
        _letter("Dear {title} {surname},"),
    ),
    Task(
        "letter_thanks",
        "letter",
        "train",
        (
            "Your {relative} {name} sent you a {gift}. Write one line of thanks.",
            "Write a short thank-you note to {name} for the gift, a {gift}.",
            "{name} gave you a {gift} for your birthday. Thank {name} in one line.",
        ),
        _letter("Dear {name}, thank you for the {gift}."),
    ),
    Task(
        "letter_closing",
        "letter",
        "train",
        (
            "Write the closing line of a formal letter by {name} {surname}.",
            "How does {name} {surname} end and sign a polite letter to a company?",
            "You help {name} {surname} to finish a letter to the bank. Write the last line.",
        ),
        _letter("Yours sincerely, {name} {surname}"),
    ),
    Task(
        "letter_invitation",
        "letter",
        "train",
        (
            "Write one line to invite {guest} to a {event} on {day}.",
            "You would like {guest} to come to your {event} on {day}. Write the invitation.",
            "There is a {event} on {day}. Compose a short invitation for {guest}.",
        ),
        _letter("Dear {guest}, please come to my {event} on {day}."),
    ),
)
