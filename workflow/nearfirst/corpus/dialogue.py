"""Small talk in the chat template, unrelated to any task."""

import random

from .lexicon import ADJECTIVE_ANTONYMS, PLURAL_NOUNS, SYNONYMS, VERBS
from .wording import draw_sentences, number_word, read_words, sentence_case
from .world import CATEGORIES, COLOURS, DAYS, MONTHS, PEOPLE, PLACES, PURCHASES

_TALK = read_words(__file__)
# People also answer in a word or two. What a model of real chat expects behind "Assistant:" is then
# any word at all and an early end, and not one of a few polite openings.
_WORDS: tuple[list[str], ...] = (
    [word for pair in ADJECTIVE_ANTONYMS for word in pair],
    [word for group in SYNONYMS for word in group[:2]],
    [past for past, _ in VERBS.values()],
    [number_word(number) for number in range(1, 40)],
    [thing for things in CATEGORIES.values() for thing in things],
    list(CATEGORIES),
    sorted(set(COLOURS.values())),
    PLURAL_NOUNS,
    [person.name for person in PEOPLE],
    [f"a {thing}" for thing in PURCHASES],
    [f"the {place}" for place in PLACES],
    [*DAYS, *MONTHS],
    _TALK["replies"],
)


def _exchange(rng: random.Random) -> tuple[str, str]:
    hobby, other_hobby = rng.sample(_TALK["hobbies"], 2)
    fields = {"hobby": hobby, "other_hobby": other_hobby}
    fields |= {"plan": rng.choice(_TALK["plans"]), "weather": rng.choice(_TALK["weather"])}
    fields |= {"day": rng.choice(DAYS), "name": rng.choice(PEOPLE).name}
    fields |= {"warm": rng.choice(_TALK["warm"]), "wish": rng.choice(_TALK["wishes"])}
    fields |= {"favour": rng.choice(_TALK["favours"])}
    said, reply = draw_sentences(rng, _TALK["exchanges"], fields)
    return said, reply


def _curt_exchange(rng: random.Random) -> tuple[str, str]:
    words = [rng.choice(rng.choice(_WORDS)) for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))]
    reply = ", ".join(words)
    opening = rng.random() < 0.4
    said = str(rng.choice(_TALK["openings" if opening else "echoes"])).format(reply)
    if rng.random() < 0.3:
        reply = f"{sentence_case(reply)}."
    return said, reply


def _repeated(rng: random.Random, statement: str) -> tuple[str, str]:
    """Repeat a word or two of what was said, as a listener does who is not sure of it."""
    words = statement.rstrip(".").replace(",", "").split()
    first = rng.randrange(len(words))
    return statement, " ".join(words[first : first + rng.choice((1, 1, 2))])


def dialogue(rng: random.Random, statement: str) -> str:
    """Write one or two exchanges of small talk as ``User: ...`` and ``Assistant: ...`` lines.

    The statement is a sentence that may be said in passing.
    """
    lines: list[str] = []
    for number in range(rng.choice((1, 2))):
        style = rng.random()
        if style < 0.4:
            said, reply = _curt_exchange(rng)
        elif style < 0.7:
            said, reply = _repeated(rng, statement)
        else:
            said, reply = _exchange(rng)
        if number == 0 and style >= 0.7 and rng.random() < 0.7:
            said = f"{rng.choice(_TALK['greetings'])} {said}"
        lines += [f"User: {said}", f"Assistant: {reply}"]
    return "\n".join(lines)
