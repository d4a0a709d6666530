"""Families on the form of words: inflection, and writing in a given format."""

import random

from ..lexicon import COMPARATIVES, PLURAL_NOUNS, VERBS
from ..task import Task
from ..wording import plural
from ..world import CATEGORIES, PEOPLE, PLACES, SURNAMES

_SPELLED = sorted(w for words in CATEGORIES.values() for w in words if len(w) <= 6)


def _plural(rng: random.Random) -> tuple[dict[str, str], str]:
    noun = rng.choice(PLURAL_NOUNS)
    return {"noun": noun}, plural(noun)


def _past(rng: random.Random) -> tuple[dict[str, str], str]:
    verb = rng.choice(list(VERBS))
    return {"verb": verb}, VERBS[verb][0]


def _ing(rng: random.Random) -> tuple[dict[str, str], str]:
    verb = rng.choice(list(VERBS))
    person = rng.choice(PEOPLE)
    return {"verb": verb, "name": person.name}, f"{person.name} is {VERBS[verb][1]}."


def _comparative(rng: random.Random) -> tuple[dict[str, str], str]:
    word = rng.choice(list(COMPARATIVES))
    return {"word": word}, COMPARATIVES[word]


def _upper(rng: random.Random) -> tuple[dict[str, str], str]:
    text = (
        f"the {rng.choice(('old', 'new', 'big', 'small', 'green', 'quiet'))} {rng.choice(PLACES)}"
    )
    return {"text": text}, text.upper()


def _full_name(rng: random.Random) -> tuple[str, str]:
    return rng.choice(PEOPLE).name, rng.choice(SURNAMES)


def _initials(rng: random.Random) -> tuple[dict[str, str], str]:
    first, last = _full_name(rng)
    return {"name": f"{first} {last}"}, f"{first[0]}.{last[0]}."


def _surname_first(rng: random.Random) -> tuple[dict[str, str], str]:
    first, last = _full_name(rng)
    return {"name": f"{first} {last}"}, f"{last}, {first}"


def _spell(rng: random.Random) -> tuple[dict[str, str], str]:
    word = rng.choice(_SPELLED)
    return {"word": word}, "-".join(word)


TASKS = (
    Task(
        "plural_of_noun",
        "morphology",
        "train",
        (
            "Write the plural form of this noun, and nothing else: {noun}",
            "There is one {noun} in the picture. Which form names several of them?",
            "In this grammar exercise, turn the singular noun into the plural.\nSingular: {noun}",
            "How do you write the plural of the noun '{noun}' in English?",
        ),
        _plural,
    ),
    Task(
        "past_tense_of_verb",
        "morphology",
        "train",
        (
            "Write the past tense of this verb, and nothing else: {verb}",
            "In this grammar exercise, put the verb into the past tense.\nVerb: {verb}",
            "Today they {verb}. Which form of the verb is used for yesterday?",
            "What is the simple past form of the verb 'to {verb}'?",
        ),
        _past,
    ),
    Task(
        "continuous_form_of_verb",
        "morphology",
        "train",
        (
            "Use the verb '{verb}' to say what {name} is doing right now.",
            "In this grammar exercise, write the continuous form. Person: {name}. Verb: {verb}",
            "Write a short sentence in the present continuous with {name} and the verb '{verb}'.",
        ),
        _ing,
    ),
    Task(
        "comparative_of_adjective",
        "morphology",
        "train",
        (
            "Write the comparative form of this adjective, and nothing else: {word}",
            "In this grammar exercise, put the adjective into the comparative.\nAdjective: {word}",
            "Which form of the adjective '{word}' goes before the word 'than'?",
            "Grammar question: how do you compare two things with the adjective '{word}'?",
            "Change the word as in 'long', 'longer'. The word to change is: {word}",
        ),
        _comparative,
    ),
    Task(
        "uppercase_phrase",
        "formatting",
        "train",
        (
            "Write the following text in capital letters only, without changing it: {text}",
            "Convert all the letters of this text to upper case.\nText: {text}",
            "Please print these words in block capitals for a sign: {text}",
        ),
        _upper,
    ),
    Task(
        "initials_of_name",
        "formatting",
        "train",
        (
            "Write the initials of this person, with a full stop after each letter: {name}",
            "Shorten the full name to its two initials.\nName: {name}",
            "{name} signs short notes with initials only. What does the signature look like?",
        ),
        _initials,
    ),
    Task(
        "surname_before_first_name",
        "formatting",
        "train",
        (
            "Write this name as in a register, surname first and then a comma: {name}",
            "Reformat the name to 'Surname, First name'. The name to reformat: {name}",
            "The card index is sorted by surname. How is {name} written on the card?",
        ),
        _surname_first,
    ),
    Task(
        "spell_with_hyphens",
        "formatting",
        "train",
        (
            "Spell the word letter by letter, with a hyphen between the letters: {word}",
            "Split this word into its letters and join them with hyphens.\nWord: {word}",
            "Write '{word}' so that every letter is followed by a hyphen, except the last.",
        ),
        _spell,
    ),
)
