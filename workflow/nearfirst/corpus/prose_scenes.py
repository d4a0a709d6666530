"""Prose on scenes: reviews, errands, topics, conclusions, letters, causes, feelings and stories."""

import random
from collections.abc import Callable

from . import scenes, world
from .wording import draw_sentences, read_words

_TEMPLATES = read_words(__file__)
_OPINIONS = {
    "praise": {"opinion": "positive", "worth": "good", "liked": "liked"},
    "complaint": {"opinion": "negative", "worth": "bad", "liked": "did not like"},
}


def _reviews(rng: random.Random) -> list[str]:
    domain = rng.choice(list(scenes.REVIEWS))
    side = "praise" if rng.random() < 0.5 else "complaint"
    fields = {"domain": domain, "name": rng.choice(world.PEOPLE).name, **_OPINIONS[side]}
    sentences = rng.sample(scenes.REVIEWS[domain][side], 2)
    return sentences + draw_sentences(rng, _TEMPLATES["reviews"], fields)


def _errands(rng: random.Random) -> list[str]:
    errand = scenes.draw_errand(rng)
    ending = draw_sentences(rng, _TEMPLATES["errands"], errand)
    return scenes.draw_passage(rng, errand) + ending


def _topics(rng: random.Random) -> list[str]:
    text, topic = scenes.draw_topic(rng)
    fields = {"text": text, "topic": topic, "name": rng.choice(world.PEOPLE).name}
    return draw_sentences(rng, _TEMPLATES["topics"], fields)


def _rankings(rng: random.Random) -> list[str]:
    a, b, c = (person.name for person in rng.sample(world.PEOPLE, 3))
    more, less = rng.choice((("taller", "shorter"), ("older", "younger")))
    fields = {"a": a, "b": b, "c": c, "more": more, "less": less}
    return draw_sentences(rng, _TEMPLATES["rankings"], fields)


def _conclusions(rng: random.Random) -> list[str]:
    kind, other = rng.sample(world.ANIMAL_KINDS, 2)
    member, person = rng.choice(world.CATEGORIES[kind]), rng.choice(world.PEOPLE)
    pet = rng.choice(world.PETS)
    place, wrong = rng.sample(world.PLACES, 2)
    thing, container = rng.choice(("key", "ring", "map")), rng.choice(("box", "bag", "drawer"))
    weather, opposite = rng.choice(world.WEATHER_PAIRS)
    fields = {"kind": kind, "other": other, "member": member, "pet": pet, **person.fields}
    fields |= {"place": place, "wrong": wrong, "thing": thing, "container": container}
    fields |= {"weather": weather, "opposite": opposite}
    fields |= {"reply": rng.choice(("Yes, it is", "No, it is not"))}
    return draw_sentences(rng, _TEMPLATES["conclusions"], fields)


def _letters(rng: random.Random) -> list[str]:
    person, friend = rng.sample(world.PEOPLE, 2)
    fields = {"name": person.name, "friend": friend.name, "surname": rng.choice(world.SURNAMES)}
    fields |= {"gift": rng.choice(world.PURCHASES), "day": rng.choice(world.DAYS)}
    fields |= {"title": rng.choice(("Mr.", "Mrs.", "Dr.")), "event": rng.choice(world.PARTIES)}
    return draw_sentences(rng, _TEMPLATES["letters"], fields)


def _results(rng: random.Random) -> list[str]:
    cause, result, _ = rng.choice(scenes.RESULTS)
    fields = {"cause": cause, "result": result}
    fields |= {"name": rng.choice(world.PEOPLE).name, "day": rng.choice(world.DAYS)}
    return draw_sentences(rng, _TEMPLATES["results"], fields)


def _feelings(rng: random.Random) -> list[str]:
    person, (event, feeling) = rng.choice(world.PEOPLE), rng.choice(scenes.FEELINGS)
    text, day = event.format_map(person.fields), rng.choice(world.DAYS)
    fields = {**person.fields, "event": text, "feeling": feeling, "day": day}
    return draw_sentences(rng, _TEMPLATES["feelings"], fields)


def _stories(rng: random.Random) -> list[str]:
    person, friend = rng.sample(world.PEOPLE, 2)
    place, goal = rng.sample(world.PLACES, 2)
    fields = {**person.fields, "friend": friend.name, "place": place, "goal": goal}
    fields |= {"thing": rng.choice(world.PURCHASES), "vehicle": rng.choice(scenes.VEHICLES)}
    fields |= {"day": rng.choice(world.DAYS)}
    parts = ("story_openings", "story_middles", "story_endings")
    return [text for part in parts for text in draw_sentences(rng, _TEMPLATES[part], fields)]


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
