"""Texts ready for comparison: normalised, and as sets of n-grams."""

import re
import unicodedata
from collections.abc import Iterator, Set
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa

from nearfirst.common.parquet import INSTANCES
from nearfirst.data.conversation import instruction_of, text_of
from nearfirst.data.readers import parquet
from nearfirst.distance.distances import ROWS

Unit = Literal["words", "characters"]
Gram = tuple[str, ...] | str

MESSAGES = pa.schema([INSTANCES.field("messages")])
_WORD = re.compile(r"\w+")


class Exchange(NamedTuple):
    """The exchange of an instance that is embedded, normalised."""

    prompt: str
    """The user's turn."""
    text: str
    """Both turns, `{instruction} {answer}`, as they are embedded."""


def normalised(text: str) -> str:
    """Return text in Unicode's form NFKC, case-folded, with single spaces for white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(text: str, n: int, unit: Unit = "words") -> Set[Gram]:
    """Return the different n-grams of a normalised text, or the whole text if it is shorter.

    Words are runs of letters, digits and underscores, so punctuation makes no difference. A text
    without words has no n-grams.
    """
    if unit == "characters":
        return {text[i : i + n] for i in range(max(1, len(text) - n + 1))} - {""}
    words = _WORD.findall(text)
    if len(words) <= n:
        return {tuple(words)} - {()}
    return set(zip(*(words[i:] for i in range(n)), strict=False))


def read_exchanges(path: Path, rows: int = ROWS) -> Iterator[list[Exchange]]:
    """Yield the exchanges of an instance table, `rows` at a time and the rest at the end.

    The table is read piece by piece: the texts of a large pool are never in memory together. Raises
    InputError if the file is missing or damaged.
    """
    conversations = (row["messages"] for _, row in parquet.rows(path, MESSAGES))
    exchanges = (
        Exchange(normalised(instruction_of(messages)), normalised(text_of(messages)))
        for messages in conversations
    )
    while block := list(islice(exchanges, rows)):
        yield block
