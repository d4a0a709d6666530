"""Prose on words and numbers: opposites, synonyms, forms, arithmetic, counting and order."""

import random
from collections.abc import Callable

from .lexicon import (
    ADJECTIVE_ANTONYMS,
    COMPARATIVES,
    NOUN_ANTONYMS,
    PLURAL_NOUNS,
    SYNONYMS,
    VERB_ANTONYMS,
    VERBS,
)
from .wording import counted, number_word, plural, sentence_case, series, with_article
from .world import ANIMALS_BY_WEIGHT, CATEGORIES, COUNTABLES, PEOPLE, PLACES, PURCHASES, SURNAMES

_WORDS = sorted(w for words in CATEGORIES.values() for w in words if " " not in w)


def _adjective_opposites(rng: random.Random) -> list[str]:
    first, second, noun = rng.choice(ADJECTIVE_ANTONYMS)
    if rng.random() < 0.5:
        first, second = second, first
    a, b = with_article(f"{first} {noun}"), with_article(f"{second} {noun}")
    name = rng.choice(PEOPLE).name
    return rng.choice(
        (
            [f"{sentence_case(first)} is the opposite of {second}.", f"No {noun} is both."],
            [f"{name} wanted {a}, but got the opposite, {b}."],
            [f"{sentence_case(a)} is never {second}.", f"The opposite of {a} is {b}."],
            [f"The {noun} was not {first}, said {name}; on the contrary, it was {second}."],
            [f"The opposite of {first} is {second}, and {name} would rather have {a}."],
        )
    )


def _other_opposites(rng: random.Random) -> list[str]:
    names = rng.sample(PEOPLE, 2)
    if rng.random() < 0.5:
        first, second = rng.choice(VERB_ANTONYMS)
        if rng.random() < 0.5:
            first, second = second, first
        return rng.choice(
            (
                [f"To {first} is the opposite of to {second}."],
                [f"While some people {first}, others do the opposite and {second}."],
                [f"{names[0].name} likes to {first}, whereas {names[1].name} likes to {second}."],
            )
        )
    first, second = rng.choice(NOUN_ANTONYMS)
    if rng.random() < 0.5:
        first, second = second, first
    return rng.choice(
        (
            [f"{sentence_case(first)} is the opposite of {second}."],
            [f"{names[0].name} spoke of {first} and {names[1].name} of {second}, its opposite."],
            [f"Like {first} and {second}, the two ideas are opposites."],
        )
    )


def _synonyms(rng: random.Random) -> list[str]:
    word, synonym, sentence = rng.choice(SYNONYMS)
    if rng.random() < 0.5:
        word, synonym = synonym, word
    name = rng.choice(PEOPLE).name
    return rng.choice(
        (
            [sentence.format(word), f"{name} put it like this: {sentence.format(synonym)}"],
            [f"The words {word} and {synonym} mean the same."],
            [f"Where {name} says {word}, other people say {synonym}.", sentence.format(synonym)],
            [f"{sentence_case(synonym)} is a synonym of {word}.", sentence.format(word)],
        )
    )


def _inflection(rng: random.Random) -> list[str]:
    person, (verb, (past, ing)) = rng.choice(PEOPLE), rng.choice(list(VERBS.items()))
    noun, (word, comparative) = rng.choice(PLURAL_NOUNS), rng.choice(list(COMPARATIVES.items()))
    number = rng.randint(2, 20)
    name, she = person.name, person.subject
    return rng.choice(
        (
            [f"Today {name} will {verb}, as {she} {past} yesterday.", f"Now {she} is {ing}."],
            [f"They {verb} today as they {past} last year, and {name} is {ing} with them."],
            [f"There was one {noun}, and later there were {number_word(number)} {plural(noun)}."],
            [f"{name} saw {with_article(noun)}, and behind it many other {plural(noun)}."],
            [f"One was {word}, but the other was {comparative} than {name} had thought."],
            [f"The first was {word}, said {name}, and the second was {comparative} than that."],
        )
    )


def _spelling(rng: random.Random) -> list[str]:
    person, surname = rng.choice(PEOPLE), rng.choice(SURNAMES)
    name, word, place = person.name, rng.choice(_WORDS), rng.choice(PLACES)
    letters = number_word(len(word))
    return rng.choice(
        (
            [f"The child spelled the word {word} slowly: {'-'.join(word)}.", f"{name} listened."],
            [f"The sign said THE {place.upper()} in big letters, so {name} found the {place}."],
            [f"{name} {surname} signed the paper with {name[0]}.{surname[0]}. and left."],
            [f"On the list stood {surname}, {name}, so {name} {surname} was expected."],
            [f"The word {word} has {letters} letters, and {name} can spell it: {'-'.join(word)}."],
        )
    )


def _arithmetic(rng: random.Random) -> list[str]:
    person, other = rng.sample(PEOPLE, 2)
    name, she, noun = person.name, person.subject, rng.choice(COUNTABLES)
    a, b = rng.randint(2, 12), rng.randint(2, 12)
    total, small, double = number_word(a + b), min(a, b), number_word(2 * a)
    return rng.choice(
        (
            [f"{sentence_case(number_word(a))} plus {number_word(b)} is {total}."],
            [f"{sentence_case(total)} minus {number_word(a)} is {number_word(b)}."],
            [f"Twice {number_word(a)} is {double}, so twice as many are {double}."],
            [
                f"{name} had {counted(a, noun)} and got {number_word(b)} more from {other.name}, "
                f"so now {she} has {counted(a + b, noun)}."
            ],
            [
                f"Of {counted(a + b, noun)} {name} gave {number_word(b)} to {other.name}, "
                f"so {counted(a, noun)} were left."
            ],
            [
                f"{name} took {number_word(small)} of the {counted(a + b, noun)} out of the box.",
                f"{sentence_case(counted(a + b - small, noun))} remained.",
            ],
        )
    )


def _counting(rng: random.Random) -> list[str]:
    words = rng.sample(_WORDS, rng.randint(2, 6))
    name, count = rng.choice(PEOPLE).name, number_word(len(words))
    kind = rng.choice(("fruit", "bird", "vegetable", "flower", "tool"))
    members = rng.sample(CATEGORIES[kind], rng.randint(2, 4))
    number = counted(len(members), kind)
    return rng.choice(
        (
            [f"{name} wrote down {count} words: {series(words)}."],
            [f"{name} counted the {plural(kind)}, {series(members)}, and found {number}."],
            [f"The list of {name} had {count} items, namely {series(words)}."],
            [f"{name} noted {words[0]}, {words[1]}, {words[0]}, so {words[0]} was there twice."],
        )
    )


def _lists(rng: random.Random) -> list[str]:
    words = rng.sample(_WORDS, rng.randint(3, 4))
    name, text = rng.choice(PEOPLE).name, ", ".join(words)
    backwards, rest = ", ".join(reversed(words)), ", ".join(words[1:])
    points = " ".join(f"({i}) {word}" for i, word in enumerate(words[:3], start=1))
    return rng.choice(
        (
            [f"The list of {name} was {text}.", f"It began with {words[0]}."],
            [f"The list of {name} was {text}.", f"The last item was {words[-1]}."],
            [f"{name} read {text}, and then the other way round: {backwards}."],
            [f"From {text} {name} crossed out {words[0]}, so {rest} stayed."],
            [f"In the dictionary {name} found, from A to Z, {', '.join(sorted(words))}."],
            [f"The plan of {name} had three points: {points}."],
        )
    )


def _order(rng: random.Random) -> list[str]:
    numbers = sorted(rng.sample(range(1, 60), 3))
    spelled = [number_word(n) for n in numbers]
    name, friend = (person.name for person in rng.sample(PEOPLE, 2))
    light, middle, heavy = (ANIMALS_BY_WEIGHT[i] for i in sorted(rng.sample(range(7), 3)))
    cheap, dear = rng.sample(PURCHASES, 2)
    down = ", ".join(str(n) for n in reversed(numbers))
    return rng.choice(
        (
            [f"{sentence_case(spelled[1])} is larger than {spelled[0]}."],
            [f"{sentence_case(spelled[0])} comes before {spelled[1]}, then comes {spelled[2]}."],
            [f"{name} wrote the numbers from large to small: {down}."],
            [f"The {heavy} is heavier than the {middle}, and the {light} is smaller than both."],
            [f"From small to big {name} drew {light} < {middle} < {heavy} on the wall."],
            [
                f"The {cheap} was {spelled[0]} coins and the {dear} was {spelled[1]}, "
                f"so the {dear} cost more."
            ],
            [
                f"{name} came at {number_word(1 + numbers[0] % 5)} and {friend} at "
                f"{number_word(7 + numbers[1] % 5)}, so {name} was earlier."
            ],
        )
    )


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
