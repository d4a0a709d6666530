"""Prose on scenes: reviews, errands, topics, conclusions, letters, causes, feelings and stories."""

import random
from collections.abc import Callable

from .scenes import FEELINGS, RESULTS, REVIEWS, draw_errand, draw_topic
from .wording import sentence_case, with_article, word_list
from .world import CATEGORIES, DAYS, PEOPLE, PLACES, PURCHASES, SURNAMES, VEHICLES_TAKEN

_ANIMALS = ("bird", "fish", "insect", "mammal")


def _reviews(rng: random.Random) -> list[str]:
    domain = rng.choice(list(REVIEWS))
    positive, name = rng.random() < 0.5, rng.choice(PEOPLE).name
    sentences = rng.sample(REVIEWS[domain][0 if positive else 1], 2)
    kind, worth = ("positive", "good") if positive else ("negative", "bad")
    ending = rng.choice(
        (
            f"{name} left a {kind} review of the {domain}.",
            f"So {name} thought that the {domain} was {worth}, and the review was {kind}.",
            f"This was the {kind} opinion of {name} about the {domain}.",
            f"{name} {'liked' if positive else 'did not like'} the {domain}.",
        )
    )
    return [*sentences, ending]


def _errands(rng: random.Random) -> list[str]:
    errand = draw_errand(rng)
    who = errand.person
    ending = rng.choice(
        (
            f"The {errand.purchase} came from the {errand.place}.",
            f"So {who.name} was at the {errand.place} on {errand.day}.",
            f"It was {who.name} who bought the {errand.purchase}.",
            f"{who.name} had gone with {who.possessive} {errand.companion}.",
            f"All this happened on {errand.day}.",
        )
    )
    form = rng.randrange(3)
    text = errand.passage(form)
    if form == 2:
        return [text, ending]
    head, tail = text.split(". ", 1)
    return [head + ".", tail, ending]


def _topics(rng: random.Random) -> list[str]:
    text, topic = draw_topic(rng)
    name = rng.choice(PEOPLE).name
    return rng.choice(
        (
            [text, f"This was news about {topic}."],
            [text, f"{name} told me, because {name} likes to talk about {topic}."],
            [text, f"It stood on the page about {topic}."],
            [f"Under the heading of {topic} {name} read: {text}"],
        )
    )


def _rankings(rng: random.Random) -> list[str]:
    a, b, c = (person.name for person in rng.sample(PEOPLE, 3))
    more, less = rng.choice((("taller", "shorter"), ("older", "younger")))
    ending = rng.choice(
        (
            f"So {a} is {more} than {c}.",
            f"So {c} is {less} than {a}, and not {more}.",
            f"Therefore {c} is {less} than {a}.",
        )
    )
    return [f"{a} is {more} than {b}.", f"{b} is {more} than {c}.", ending]


def _conclusions(rng: random.Random) -> list[str]:
    kind, other = rng.sample(_ANIMALS, 2)
    member, person = rng.choice(CATEGORIES[kind]), rng.choice(PEOPLE)
    pet = rng.choice(word_list("Rex Bobby Luna Milo Bella Coco Daisy Max"))
    place, wrong = rng.sample(PLACES, 2)
    thing, container = rng.choice(("key", "ring", "map")), rng.choice(("box", "bag", "drawer"))
    weather, opposite = rng.choice((("rainy", "dry"), ("warm", "cold"), ("sunny", "cloudy")))
    a_kind = with_article(kind)
    return rng.choice(
        (
            [
                f"Every {member} is {a_kind}.",
                f"{pet} is {with_article(member)}, so {pet} is {a_kind}.",
            ],
            [
                f"{pet} is {with_article(member)}.",
                f"It is not {with_article(other)}, but {a_kind}.",
            ],
            [
                f"The {thing} is in the {container}, and the {container} is at the {place}.",
                f"It is true that the {thing} is at the {place}.",
            ],
            [
                f"The {container} with the {thing} is at the {place}.",
                f"It is false that the {thing} is at the {wrong}.",
            ],
            [
                f"On {weather} days {person.name} goes to the {place}, on {opposite} days to the "
                f"{wrong}.",
                f"It was {weather}, so {person.subject} went to the {place}.",
            ],
            [
                f'"Is the {thing} at the {place}?" asked {person.name}.',
                f'"{rng.choice(("Yes, it is", "No, it is not"))}," said the others.',
            ],
        )
    )


def _letters(rng: random.Random) -> list[str]:
    person, friend = rng.sample(PEOPLE, 2)
    surname, gift, day = rng.choice(SURNAMES), rng.choice(PURCHASES), rng.choice(DAYS)
    title = rng.choice(("Mr.", "Mrs.", "Dr."))
    event = rng.choice(("party", "concert", "wedding", "picnic", "festival"))
    return rng.choice(
        (
            [f"Dear {friend.name}, thank you for the {gift}.", f"Love from {person.name}."],
            [f"The letter to the bank began with Dear {title} {surname}, and was long."],
            [f"{person.name} ended the letter with Yours sincerely, {person.name} {surname}."],
            [f"Dear {friend.name}, please come to my {event} on {day}, wrote {person.name}."],
        )
    )


def _results(rng: random.Random) -> list[str]:
    cause, result, _ = rng.choice(RESULTS)
    name, day = rng.choice(PEOPLE).name, rng.choice(DAYS)
    return rng.choice(
        (
            [f"On {day} {name} {cause}.", f"{sentence_case(result)}."],
            [f"{name} {cause}, and so {result}."],
            [f"{sentence_case(result)}, because {name} {cause}."],
        )
    )


def _feelings(rng: random.Random) -> list[str]:
    person, (event, feeling) = rng.choice(PEOPLE), rng.choice(FEELINGS)
    text, name = event.format(possessive=person.possessive), person.name
    return rng.choice(
        (
            [f"{name} {text} and was {feeling}."],
            [f"On {rng.choice(DAYS)} {name} {text}.", f"{name} feels {feeling}."],
            [f"{name} was {feeling}, because {person.subject} {text}."],
        )
    )


def _stories(rng: random.Random) -> list[str]:
    person, friend = rng.sample(PEOPLE, 2)
    place, goal = rng.sample(PLACES, 2)
    name, she, her = person.name, person.subject, person.possessive
    thing, vehicle, day = rng.choice(PURCHASES), rng.choice(VEHICLES_TAKEN), rng.choice(DAYS)
    opening = rng.choice(
        (
            f"One {day} {name} lost {her} {thing} near the {place}.",
            f"Early on {day} {name} left {her} {thing} in a {vehicle}.",
            f"For years {name} had kept a {thing} in a house by the {place}.",
        )
    )
    middle = rng.choice(
        (
            f"{sentence_case(she)} looked for it everywhere and asked {friend.name} for help.",
            f"By chance {friend.name} passed by and saw it.",
            f"Then {friend.name} told {name} about a strange light at the {goal}.",
        )
    )
    ending = rng.choice(
        (
            f"In the end they met at the {goal}, and {name} gave {friend.name} the {thing}.",
            f"They took the {vehicle} to the {goal} and talked until night.",
            f"Since that day {name} and {friend.name} have been good friends.",
        )
    )
    return [opening, middle, ending]


SCENE_KINDS: tuple[Callable[[random.Random], list[str]], ...] = (
    _reviews,
    _errands,
    _topics,
    _rankings,
    _conclusions,
    _letters,
    _results,
    _feelings,
    _stories,
)
