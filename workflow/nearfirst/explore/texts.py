"""Texts to compare: normalized, and as sets of n-grams."""

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import sparse

from nearfirst.data.conversation import instruction_of, text_of
from nearfirst.data.instances import read_conversations

Unit = Literal["words", "characters"]
Gram = tuple[str, ...] | str

_WORD = re.compile(r"\w+")


class Exchange(NamedTuple):
    """The first exchange of an instance, normalized."""

    prompt: str
    """The user's turn."""
    text: str
    """Both turns, `{instruction} {answer}`, as they are embedded."""


def normalize(text: str) -> str:
    """Return text in Unicode form NFKC, case-folded, with single spaces for white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(text: str, n: int, unit: Unit = "words") -> Set[Gram]:
    """Return the set of n-grams of a normalized text, or the whole text if it is shorter.

    Words are runs of letters, digits and underscores, so punctuation makes no difference. A text
    without words has no n-grams.
    """
    if unit == "characters":
        return {text[i : i + n] for i in range(max(1, len(text) - n + 1))} - {""}
    words = _WORD.findall(text)
    if len(words) <= n:
        return {tuple(words)} - {()}
    return set(zip(*(words[i:] for i in range(n)), strict=False))


def read_exchanges(path: Path) -> Iterator[Exchange]:
    """Yield the exchanges of an instance table.

    The texts of a large pool are never in memory together. Raises InputError if the file is missing
    or damaged.
    """
    for messages in read_conversations(path):
        yield Exchange(normalize(instruction_of(messages)), normalize(text_of(messages)))


def incidence(rows: Sequence[Any], columns: int) -> Any:
    """Return the sparse (len(rows), columns) matrix with a 1 in each column that a row lists."""
    bounds = np.cumsum([0, *map(len, rows)])
    indices = np.concatenate([np.empty(0, np.int64), *(np.asarray(row, np.int64) for row in rows)])
    ones = np.ones(len(indices), dtype=np.int32)
    return sparse.csr_array((ones, indices, bounds), shape=(len(rows), columns))
