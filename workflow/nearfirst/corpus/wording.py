"""Small rules of English, and the word files that lie beside the modules."""

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def read_words(module: str) -> Any:
    """Return the words of a module: what ``words/NAME.yaml`` beside ``NAME.py`` holds.

    Every scalar is a string, `yes` and `1` too. The rules find the file by its name as well and
    take it as an input (`word_files` in `common/source_files.py`).

    Parameters
    ----------
    module
        The module's ``__file__``.
    """
    path = Path(module)
    text = (path.parent / "words" / f"{path.stem}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))


class Fields(dict[str, str]):
    """The fields of a template, for `str.format_map`.

    Of a field ``thing``, a template may also use ``{a_thing}`` (with its article), ``{Thing}``
    (with a capital) and ``{A_thing}``.
    """

    def __missing__(self, name: str) -> str:
        """Derive a field from another; raises KeyError if there is none."""
        if name[0].isupper():
            return sentence_case(self[name[0].lower() + name[1:]])
        if name.startswith("a_"):
            return with_article(self[name.removeprefix("a_")])
        raise KeyError(name)


def draw_sentences(
    rng: random.Random, templates: Sequence[str], fields: Mapping[str, str]
) -> list[str]:
    """Draw one of the templates and fill its sentences, which `` | `` separates."""
    filled = Fields(fields)
    return [sentence.format_map(filled) for sentence in rng.choice(templates).split(" | ")]


_NUMBERS: list[str] = read_words(__file__)["numbers"]
_TENS: list[str] = read_words(__file__)["tens"]
_IRREGULAR_PLURALS: Mapping[str, str] = read_words(__file__)["irregular_plurals"]


def number_word(number: int) -> str:
    """Spell a number from 0 to 99 in words, as in ``twenty-one``."""
    if not 0 <= number < 100:
        raise ValueError(f"no words for {number}: only 0 to 99 are spelled")
    if number < 20:
        return _NUMBERS[number]
    tens, units = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_NUMBERS[units]}" if units else "")


def counted(number: int, noun: str) -> str:
    """Name a number of things, as in ``one pear`` or ``three pears``."""
    return f"{number_word(number)} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Form the plural of a countable noun."""
    if noun in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def with_article(phrase: str) -> str:
    """Put ``a`` or ``an`` before a phrase; the word lists hold no silent h or spoken ``you``."""
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"


def sentence_case(text: str) -> str:
    """Capitalize the first letter and leave the rest as it is."""
    return text[0].upper() + text[1:]


def listing(items: Iterable[str]) -> str:
    """Join items as an answer lists them: ``a, b, c``."""
    return ", ".join(items)


def series(items: Sequence[str], word: str = "and") -> str:
    """Join items as a sentence names them: ``a, b and c``."""
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def numbered(items: Iterable[str]) -> str:
    """Write items as numbered options: ``(1) a (2) b``."""
    return " ".join(f"({number}) {item}" for number, item in enumerate(items, start=1))
