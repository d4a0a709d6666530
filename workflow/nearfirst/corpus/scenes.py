"""Sentences about small scenes: reviews, errands, daily topics, causes and feelings."""

import random

from .wording import Fields, draw_sentences, read_words
from .world import DAYS, PEOPLE, PURCHASES

_WORDS = read_words(__file__)

REVIEWS: dict[str, dict[str, list[str]]] = _WORDS["reviews"]
TOPICS: dict[str, list[str]] = _WORDS["topics"]
RESULTS: list[list[str]] = _WORDS["results"]
FEELINGS: list[list[str]] = _WORDS["feelings"]
GAINS: list[str] = _WORDS["gains"]
LOSSES: list[str] = _WORDS["losses"]
VEHICLES: list[str] = _WORDS["vehicles"]


def draw_errand(rng: random.Random) -> Fields:
    """Draw an errand: somebody went somewhere with somebody and bought something."""
    person, day = rng.choice(PEOPLE), rng.choice(DAYS)
    place, companion = rng.choice(_WORDS["errand_places"]), rng.choice(_WORDS["companions"])
    fields = Fields(person.fields, day=day, place=place, companion=companion)
    return Fields(fields, purchase=rng.choice(PURCHASES), vehicle=rng.choice(VEHICLES))


def draw_passage(rng: random.Random, errand: Fields) -> list[str]:
    """Draw the sentences that tell of an errand."""
    return draw_sentences(rng, _WORDS["errands"], errand)


def draw_review(rng: random.Random, domain: str) -> tuple[str, bool]:
    """Draw a review of two or three sentences and whether it praises."""
    positive = rng.random() < 0.5
    sentences = REVIEWS[domain]["praise" if positive else "complaint"]
    return " ".join(rng.sample(sentences, rng.choice((2, 3)))), positive


def draw_topic(rng: random.Random) -> tuple[str, str]:
    """Draw a sentence and its topic."""
    topic = rng.choice(list(TOPICS))
    sentence = rng.choice(TOPICS[topic])
    return sentence.format(name=rng.choice(PEOPLE).name, day=rng.choice(DAYS)), topic
