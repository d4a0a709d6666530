"""Families on reading: sentiment, extraction, topic and simple inference."""

import random
from functools import partial

from .. import scenes, world
from ..task import read_tasks
from ..wording import numbered, series, with_article

_PRAISE = {"sentiment": "positive", "worth": "good", "content": "Yes"}
_COMPLAINT = {"sentiment": "negative", "worth": "bad", "content": "No"}
_CONTAINERS = ("box", "drawer", "basket", "bag", "cupboard", "suitcase")
_SMALL_THINGS = ("key", "ring", "coin", "letter", "watch", "map", "pen", "ticket")


def _sentiment(domain: str, rng: random.Random) -> dict[str, str]:
    review, positive = scenes.draw_review(rng, domain)
    return {"review": review, **(_PRAISE if positive else _COMPLAINT)}


def _extraction(rng: random.Random) -> dict[str, str]:
    errand = scenes.draw_errand(rng)
    return {**errand, "passage": " ".join(scenes.draw_passage(rng, errand))}


def _topic(rng: random.Random) -> dict[str, str]:
    text, topic = scenes.draw_topic(rng)
    others = [name for name in scenes.TOPICS if name != topic]
    options = [topic, *rng.sample(others, 2)]
    rng.shuffle(options)
    claimed = topic if rng.random() < 0.5 else rng.choice(others)
    return {
        "text": text,
        "headline": text.rstrip(".").upper(),
        "options": series(options, "or"),
        "numbered": numbered(options),
        "claimed": claimed,
        "friend": rng.choice(world.PEOPLE).name,
        "topic": topic,
        "number": str(options.index(topic) + 1),
        "truth": "Yes" if claimed == topic else "No",
    }


def _message(rng: random.Random) -> dict[str, str]:
    fields = _topic(rng)
    return {**fields, "text": f"{fields['text']} See you soon!"}


def _ranking(more: str, less: str, rng: random.Random) -> dict[str, str]:
    """Rank three people and ask about the outer two."""
    a, b, c = (person.name for person in rng.sample(world.PEOPLE, 3))
    yes = rng.random() < 0.5
    first, second = (a, c) if yes else (c, a)
    # Sometimes the reverse relation, so that the order of the names does not give it away.
    turned = rng.random() < 0.3
    relation = less if turned else more
    return {
        "premises": f"{a} is {more} than {b}. {b} is {more} than {c}.",
        "claim": f"{first} is {relation} than {second}",
        "question": f"Is {first} {relation} than {second}?",
        "answer": "Yes" if yes != turned else "No",
    }


def _category(rng: random.Random) -> dict[str, str]:
    kind, other = rng.sample(world.ANIMAL_KINDS, 2)
    member, pet = rng.choice(world.CATEGORIES[kind]), rng.choice(world.PETS)
    yes = rng.random() < 0.5
    a_kind, asked = with_article(kind), with_article(kind if yes else other)
    return {
        "premises": f"Every {member} is {a_kind}. {pet} is {with_article(member)}.",
        "claim": f"{pet} is {asked}",
        "question": f"Is {pet} {asked}?",
        "answer": f"Yes, {pet} is {a_kind}." if yes else f"No, {pet} is not.",
    }


def _location(rng: random.Random) -> dict[str, str]:
    thing, container = rng.choice(_SMALL_THINGS), rng.choice(_CONTAINERS)
    place, other = rng.sample(world.PLACES, 2)
    yes = rng.random() < 0.5
    asked = place if yes else other
    return {
        "premises": f"The {thing} is in the {container}. The {container} is at the {place}.",
        "claim": f"the {thing} is at the {asked}",
        "question": f"Is the {thing} at the {asked}?",
        "answer": "true" if yes else "false",
    }


def _condition(rng: random.Random) -> dict[str, str]:
    person = rng.choice(world.PEOPLE)
    place, other = rng.sample(world.PLACES, 2)
    weather, opposite = rng.choice(world.WEATHER_PAIRS)
    holds = rng.random() < 0.5
    name, day = person.name, rng.choice(world.DAYS)
    habit = f"On {weather} days {name} goes to the {place}, on {opposite} days to the {other}."
    return {
        "premises": f"{habit} This {day} is {weather if holds else opposite}.",
        "name": name,
        "subject": person.she,
        "goal": place if holds else other,
    }


TASKS = read_tasks(
    __file__,
    {
        "sentiment_restaurant_review": (partial(_sentiment, "restaurant"), "{sentiment}"),
        "sentiment_film_review": (partial(_sentiment, "film"), "The review is {sentiment}."),
        "sentiment_book_review": (partial(_sentiment, "book"), "{worth}"),
        "sentiment_product_review": (partial(_sentiment, "product"), "{content}"),
        "sentiment_hotel_review": (partial(_sentiment, "hotel"), "{sentiment}"),
        "extraction_who": (_extraction, "{name}"),
        "extraction_where": (_extraction, "at the {place}"),
        "extraction_what": (_extraction, "a {purchase}"),
        "extraction_with_whom": (_extraction, "with {her} {companion}"),
        "extraction_when": (_extraction, "on {day}"),
        "topic_of_sentence": (_topic, "{topic}"),
        "topic_of_headline": (_topic, "It is about {topic}."),
        "topic_choice": (_topic, "({number}) {topic}"),
        "topic_yes_no": (_topic, "{truth}"),
        "topic_of_message": (_message, "{topic}"),
        "inference_taller": (partial(_ranking, "taller", "shorter"), "{answer}"),
        "inference_category": (_category, "{answer}"),
        "inference_location": (_location, "{answer}"),
        "inference_condition": (_condition, "{Subject} goes to the {goal}."),
        "inference_older": (partial(_ranking, "older", "younger"), "{answer}"),
    },
)
