"""Families on words: antonyms, synonyms, inflection, and writing in a given format."""

import random
from collections.abc import Sequence
from functools import partial

from .. import lexicon, world
from ..task import look_up, read_tasks
from ..wording import numbered, plural, with_article

_PLURALS = {noun: plural(noun) for noun in lexicon.PLURAL_NOUNS}
_PAST_TENSES = {verb: past for verb, (past, _) in lexicon.VERBS.items()}
_SHORT = [thing for thing in world.THINGS if len(thing) <= 6]
_ADJECTIVES = ("old", "new", "big", "small", "green", "quiet")


def _turned(rng: random.Random, pair: Sequence[str]) -> tuple[str, str]:
    """Read a pair of words from either side."""
    return (pair[0], pair[1]) if rng.random() < 0.5 else (pair[1], pair[0])


def _opposite(pairs: Sequence[Sequence[str]], rng: random.Random) -> dict[str, str]:
    word, opposite = _turned(rng, rng.choice(pairs))
    return {"word": word, "opposite": opposite}


def _choice(rng: random.Random, word: str, right: str, wrong: list[str]) -> dict[str, str]:
    """Ask about a word with three numbered options."""
    options = [right, *rng.sample(wrong, 2)]
    rng.shuffle(options)
    number = str(options.index(right) + 1)
    return {"word": word, "options": numbered(options), "number": number, "right": right}


def _antonym_choice(rng: random.Random) -> dict[str, str]:
    pair = rng.choice(lexicon.ADJECTIVE_ANTONYMS)
    related = {pair[0]}.union(*(group for group in lexicon.RELATED_ANTONYMS if pair[0] in group))
    word, right = _turned(rng, pair)
    others = [other for other in lexicon.ADJECTIVE_ANTONYMS if other[0] not in related]
    return _choice(rng, word, right, [word for other in others for word in other[:2]])


def _antonym_phrase(rng: random.Random) -> dict[str, str]:
    pair = rng.choice(lexicon.ADJECTIVE_ANTONYMS)
    word, opposite = _turned(rng, pair)
    return {"phrase": with_article(f"{word} {pair[2]}"), "opposite": f"{opposite} {pair[2]}"}


def _synonym(rng: random.Random) -> dict[str, str]:
    word, synonym, sentence = rng.choice(lexicon.SYNONYMS)
    sentences = {"sentence": sentence.format(word), "rewritten": sentence.format(synonym)}
    return {"word": word, "synonym": synonym, **sentences}


def _unrelated(pair: Sequence[str]) -> list[list[str]]:
    return [other for other in lexicon.SYNONYMS if not {*other[:2]} & {*pair[:2]}]


def _synonym_choice(rng: random.Random) -> dict[str, str]:
    pair = rng.choice(lexicon.SYNONYMS)
    return _choice(rng, pair[0], pair[1], [other[0] for other in _unrelated(pair)])


def _synonym_yes_no(rng: random.Random) -> dict[str, str]:
    pair = rng.choice(lexicon.SYNONYMS)
    if rng.random() < 0.5:
        return {"first": pair[0], "second": pair[1], "answer": "Yes"}
    return {"first": pair[0], "second": rng.choice(_unrelated(pair))[1], "answer": "No"}


def _continuous(rng: random.Random) -> dict[str, str]:
    verb = rng.choice(list(lexicon.VERBS))
    return {"verb": verb, "doing": lexicon.VERBS[verb][1], "name": rng.choice(world.PEOPLE).name}


def _uppercase(rng: random.Random) -> dict[str, str]:
    text = f"the {rng.choice(_ADJECTIVES)} {rng.choice(world.PLACES)}"
    return {"text": text, "answer": text.upper()}


def _name(rng: random.Random) -> dict[str, str]:
    first, last = rng.choice(world.PEOPLE).name, rng.choice(world.SURNAMES)
    return {"name": f"{first} {last}", "first": first, "last": last}


def _spelling(rng: random.Random) -> dict[str, str]:
    word = rng.choice(_SHORT)
    return {"word": word, "answer": "-".join(word)}


_opposite_noun = partial(_opposite, lexicon.NOUN_ANTONYMS)

TASKS = read_tasks(
    __file__,
    {
        "antonym_adjective": (partial(_opposite, lexicon.ADJECTIVE_ANTONYMS), "{opposite}"),
        "antonym_verb": (partial(_opposite, lexicon.VERB_ANTONYMS), "to {opposite}"),
        "antonym_noun": (_opposite_noun, "The opposite is {opposite}."),
        "antonym_choice": (_antonym_choice, "({number}) {right}"),
        "antonym_phrase": (_antonym_phrase, "{a_opposite}"),
        "synonym_word": (_synonym, "{synonym}"),
        "synonym_choice": (_synonym_choice, "({number}) {right}"),
        "synonym_yes_no": (_synonym_yes_no, "{answer}"),
        "synonym_replace": (_synonym, "{rewritten}"),
        "plural_of_noun": (partial(look_up, _PLURALS, "noun"), "{answer}"),
        "past_tense_of_verb": (partial(look_up, _PAST_TENSES, "verb"), "{answer}"),
        "continuous_form_of_verb": (_continuous, "{name} is {doing}."),
        "comparative_of_adjective": (partial(look_up, lexicon.COMPARATIVES, "word"), "{answer}"),
        "uppercase_phrase": (_uppercase, "{answer}"),
        "initials_of_name": (_name, "{first[0]}.{last[0]}."),
        "surname_before_first_name": (_name, "{last}, {first}"),
        "spell_with_hyphens": (_spelling, "{answer}"),
    },
)
