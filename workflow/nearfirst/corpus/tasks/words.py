"""Families on the meaning of words: antonyms and synonyms."""

import random
from collections.abc import Callable, Sequence

from ..lexicon import ADJECTIVE_ANTONYMS, NOUN_ANTONYMS, SYNONYMS, VERB_ANTONYMS
from ..task import Make, Task
from ..wording import numbered, with_article


def _turned(rng: random.Random, pair: Sequence[str]) -> tuple[str, str]:
    """Read a pair of words from either side."""
    return (pair[0], pair[1]) if rng.random() < 0.5 else (pair[1], pair[0])


def _opposite_of(pairs: Sequence[Sequence[str]], answer: str = "{}") -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        word, opposite = _turned(rng, rng.choice(pairs))
        return {"word": word}, answer.format(opposite)

    return make


def _choice(draw: Callable[[random.Random], tuple[str, str, list[str]]]) -> Make:
    """Turn (word, right option, wrong options) into a question with three numbered options."""

    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        word, right, wrong = draw(rng)
        options = [right, *rng.sample(wrong, 2)]
        rng.shuffle(options)
        answer = f"({options.index(right) + 1}) {right}"
        return {"word": word, "options": numbered(options)}, answer

    return make


# Pairs of related meaning, by their first words: "easy" might pass for the opposite of "hard" and
# "new" for that of "ancient", so that they are no wrong options for one another.
_RELATED_ANTONYMS = (
    {"big", "long", "high", "wide", "thick", "deep", "strong", "heavy", "dark"},
    {"old", "modern", "early", "fast"},
    {"hard", "easy", "smooth", "sharp"},
    {"polite", "kind"},
)


def _antonym_options(rng: random.Random) -> tuple[str, str, list[str]]:
    pair = rng.choice(ADJECTIVE_ANTONYMS)
    related = {pair[0]}.union(*(group for group in _RELATED_ANTONYMS if pair[0] in group))
    word, right = _turned(rng, pair[:2])
    return word, right, [w for p in ADJECTIVE_ANTONYMS if p[0] not in related for w in p[:2]]


def _synonym_options(rng: random.Random) -> tuple[str, str, list[str]]:
    pair = rng.choice(SYNONYMS)
    wrong = [other[0] for other in SYNONYMS if not {other[0], other[1]} & {pair[0], pair[1]}]
    return pair[0], pair[1], wrong


def _opposite_phrase(rng: random.Random) -> tuple[dict[str, str], str]:
    first, second, noun = rng.choice(ADJECTIVE_ANTONYMS)
    word, opposite = _turned(rng, (first, second))
    return {"phrase": with_article(f"{word} {noun}")}, with_article(f"{opposite} {noun}")


def _synonym(rng: random.Random) -> tuple[dict[str, str], str]:
    word, synonym, _ = rng.choice(SYNONYMS)
    return {"word": word}, synonym


def _same_meaning(rng: random.Random) -> tuple[dict[str, str], str]:
    pair = rng.choice(SYNONYMS)
    if rng.random() < 0.5:
        return {"first": pair[0], "second": pair[1]}, "Yes"
    other = rng.choice([p for p in SYNONYMS if not set(p[:2]) & set(pair[:2])])
    return {"first": pair[0], "second": other[1]}, "No"


def _replace_word(rng: random.Random) -> tuple[dict[str, str], str]:
    word, synonym, sentence = rng.choice(SYNONYMS)
    return {"sentence": sentence.format(word), "word": word}, sentence.format(synonym)


TASKS = (
    Task(
        "antonym_adjective",
        "antonym",
        "train",
        (
            "Give the opposite of the adjective below. Answer in one word.\nAdjective: {word}",
            "Read this adjective: {word}. Which single word has the opposite meaning?",
            "Write one adjective that means the opposite of '{word}'.",
            "You are given an adjective. Your job is to write its opposite. Input: {word}",
        ),
        _opposite_of(ADJECTIVE_ANTONYMS),
    ),
    Task(
        "antonym_verb",
        "antonym",
        "train",
        (
            "In this task you get a verb and have to name its opposite.\nVerb: {word}",
            "Which verb has the opposite meaning of the verb '{word}'? Write a short phrase.",
            "Name the verb that means the opposite of 'to {word}', please.",
            "Find the opposite of the action and write it down. The action is: to {word}",
        ),
        _opposite_of(VERB_ANTONYMS, "to {}"),
    ),
    Task(
        "antonym_noun",
        "antonym",
        "train",
        (
            "Give the opposite of the noun below in one short sentence.\nNoun: {word}",
            "Which noun has the opposite meaning of '{word}'? Answer in a sentence.",
            "You are given a noun. Tell me what its opposite is. Input: {word}",
            "Here is a noun: {word}. Think of the noun that means the opposite.",
        ),
        _opposite_of(NOUN_ANTONYMS, "The opposite is {}."),
    ),
    Task(
        "antonym_choice",
        "antonym",
        "train",
        (
            "Choose the option that means the opposite of '{word}'.\n{options}",
            "Which option is the opposite of the word {word}? Options: {options}",
            "Pick the opposite from the list of three options.\nWord: {word}\nOptions: {options}",
        ),
        _choice(_antonym_options),
    ),
    Task(
        "antonym_phrase",
        "antonym",
        "near",
        (
            "Give the opposite of the phrase below. Change the adjective only.\nPhrase: {phrase}",
            "Which phrase has the opposite meaning of '{phrase}'? Keep the noun.",
            "You are given a phrase. Your job is to write its opposite. Input: {phrase}",
            "Write a phrase with the same noun that means the opposite of '{phrase}'.",
        ),
        _opposite_phrase,
    ),
    Task(
        "synonym_word",
        "synonym",
        "train",
        (
            "Give a synonym of the word below. Answer with one word only.\nWord: {word}",
            "Which other word means the same as '{word}'? Write only that word.",
            "Name one word that can be used in place of '{word}'.",
            "You are given a word. Write another word for it. Input: {word}",
        ),
        _synonym,
    ),
    Task(
        "synonym_choice",
        "synonym",
        "train",
        (
            "Choose the option that means the same as '{word}'.\n{options}",
            "Which option is a synonym of the word {word}? Options: {options}",
            "Pick the word with the same meaning.\nWord: {word}\nOptions: {options}",
        ),
        _choice(_synonym_options),
    ),
    Task(
        "synonym_yes_no",
        "synonym",
        "train",
        (
            "Do the words '{first}' and '{second}' have the same meaning? Answer Yes or No.",
            "Decide whether two words are synonyms. Say Yes or No.\nWords: {first}, {second}",
            "Can I say '{second}' where I mean '{first}'? Answer Yes or No.",
        ),
        _same_meaning,
    ),
    Task(
        "synonym_replace",
        "synonym",
        "train",
        (
            "Rewrite the sentence and replace the word '{word}' by a synonym.\n{sentence}",
            "{sentence}\nWrite this again with another word instead of '{word}'.",
            "Keep the meaning of the sentence, but do not use the word '{word}'. {sentence}",
            "Change one word of the sentence to a synonym.\nWord: {word}\nSentence: {sentence}",
        ),
        _replace_word,
    ),
)
