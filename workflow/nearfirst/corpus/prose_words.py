"""Prose on words and numbers: opposites, synonyms, forms, arithmetic, counting and order."""

import random
from collections.abc import Callable

from . import lexicon, world
from .wording import counted, draw_sentences, number_word, numbered, plural, read_words, series

_TEMPLATES = read_words(__file__)


def _adjective_opposites(rng: random.Random) -> list[str]:
    first, second, noun = rng.choice(lexicon.ADJECTIVE_ANTONYMS)
    if rng.random() < 0.5:
        first, second = second, first
    fields = {"first": first, "second": second, "noun": noun, "name": rng.choice(world.PEOPLE).name}
    pair = {"this": f"{first} {noun}", "that": f"{second} {noun}"}
    return draw_sentences(rng, _TEMPLATES["adjective_opposites"], {**fields, **pair})


def _other_opposites(rng: random.Random) -> list[str]:
    name, other = (person.name for person in rng.sample(world.PEOPLE, 2))
    verbs = rng.random() < 0.5
    kind = "verb_opposites" if verbs else "noun_opposites"
    first, second = rng.choice(lexicon.VERB_ANTONYMS if verbs else lexicon.NOUN_ANTONYMS)
    if rng.random() < 0.5:
        first, second = second, first
    fields = {"first": first, "second": second, "name": name, "other": other}
    return draw_sentences(rng, _TEMPLATES[kind], fields)


def _synonyms(rng: random.Random) -> list[str]:
    word, synonym, sentence = rng.choice(lexicon.SYNONYMS)
    if rng.random() < 0.5:
        word, synonym = synonym, word
    sentences = {"sentence": sentence.format(word), "again": sentence.format(synonym)}
    fields = {"word": word, "synonym": synonym, "name": rng.choice(world.PEOPLE).name, **sentences}
    return draw_sentences(rng, _TEMPLATES["synonyms"], fields)


def _inflection(rng: random.Random) -> list[str]:
    fields = rng.choice(world.PEOPLE).fields
    verb, (past, doing) = rng.choice(list(lexicon.VERBS.items()))
    noun = rng.choice(lexicon.PLURAL_NOUNS)
    word, comparative = rng.choice(list(lexicon.COMPARATIVES.items()))
    fields |= {"verb": verb, "past": past, "doing": doing, "noun": noun, "nouns": plural(noun)}
    fields |= {"word": word, "comparative": comparative, "number": number_word(rng.randint(2, 20))}
    return draw_sentences(rng, _TEMPLATES["inflection"], fields)


def _spelling(rng: random.Random) -> list[str]:
    person, surname = rng.choice(world.PEOPLE), rng.choice(world.SURNAMES)
    word, place = rng.choice(world.THINGS), rng.choice(world.PLACES)
    fields = {"name": person.name, "surname": surname, "place": place, "sign": place.upper()}
    fields |= {"word": word, "spelled": "-".join(word), "letters": number_word(len(word))}
    return draw_sentences(rng, _TEMPLATES["spelling"], fields)


def _arithmetic(rng: random.Random) -> list[str]:
    person, other = rng.sample(world.PEOPLE, 2)
    noun, a, b = rng.choice(world.COUNTABLES), rng.randint(2, 12), rng.randint(2, 12)
    numbers = {"a": a, "b": b, "total": a + b, "double": 2 * a, "small": min(a, b)}
    things = {"a_things": a, "total_things": a + b, "large_things": max(a, b)}
    fields = {"name": person.name, "she": person.she, "other": other.name}
    fields |= {name: number_word(number) for name, number in numbers.items()}
    fields |= {name: counted(number, noun) for name, number in things.items()}
    return draw_sentences(rng, _TEMPLATES["arithmetic"], fields)


def _counting(rng: random.Random) -> list[str]:
    words, name = rng.sample(world.THINGS, rng.randint(2, 6)), rng.choice(world.PEOPLE).name
    kind = rng.choice(("fruit", "bird", "vegetable", "flower", "tool"))
    members = rng.sample(world.CATEGORIES[kind], rng.randint(2, 4))
    fields = {"name": name, "words": series(words), "count": number_word(len(words))}
    fields |= {"first": words[0], "second": words[1], "kinds": plural(kind)}
    fields |= {"members": series(members), "found": counted(len(members), kind)}
    return draw_sentences(rng, _TEMPLATES["counting"], fields)


def _lists(rng: random.Random) -> list[str]:
    words = rng.sample(world.THINGS, rng.randint(3, 4))
    fields = {"name": rng.choice(world.PEOPLE).name, "items": ", ".join(words)}
    fields |= {"backwards": ", ".join(reversed(words)), "sorted": ", ".join(sorted(words))}
    fields |= {"rest": ", ".join(words[1:]), "points": numbered(words[:3])}
    fields |= {"first": words[0], "last": words[-1]}
    return draw_sentences(rng, _TEMPLATES["lists"], fields)


def _order(rng: random.Random) -> list[str]:
    numbers = sorted(rng.sample(range(1, 60), 3))
    name, friend = (person.name for person in rng.sample(world.PEOPLE, 2))
    animals = [world.ANIMALS_BY_WEIGHT[i] for i in sorted(rng.sample(range(7), 3))]
    cheap, dear = rng.sample(world.PURCHASES, 2)
    hours = {"early": 1 + numbers[0] % 5, "late": 7 + numbers[1] % 5}
    fields = {"name": name, "friend": friend, "cheap": cheap, "dear": dear}
    fields |= dict(zip(("light", "middle", "heavy"), animals, strict=True))
    fields |= dict(zip(("small", "larger", "largest"), map(number_word, numbers), strict=True))
    fields |= {hour: number_word(number) for hour, number in hours.items()}
    fields |= {"descending": ", ".join(str(number) for number in reversed(numbers))}
    return draw_sentences(rng, _TEMPLATES["order"], fields)


WORD_KINDS: tuple[Callable[[random.Random], list[str]], ...] = (
    _adjective_opposites,
    _other_opposites,
    _synonyms,
    _inflection,
    _spelling,
    _arithmetic,
    _counting,
    _lists,
    _order,
)
