"""Words and their relations: opposites, synonyms and inflected forms.

A word stands on one side of one antonym pair and in one synonym pair only, so that a question about
it has one answer.
"""

from .wording import read_words

_WORDS = read_words(__file__)

ADJECTIVE_ANTONYMS: list[list[str]] = _WORDS["adjective_antonyms"]
RELATED_ANTONYMS: list[list[str]] = _WORDS["related_antonyms"]
VERB_ANTONYMS: list[list[str]] = _WORDS["verb_antonyms"]
NOUN_ANTONYMS: list[list[str]] = _WORDS["noun_antonyms"]
SYNONYMS: list[list[str]] = _WORDS["synonyms"]
VERBS: dict[str, list[str]] = _WORDS["verbs"]
COMPARATIVES: dict[str, str] = _WORDS["comparatives"]
PLURAL_NOUNS: list[str] = _WORDS["plural_nouns"]
