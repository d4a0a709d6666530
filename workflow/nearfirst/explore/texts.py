"""Texts as they are compared: normalised, and as sets of n-grams."""

import re
import unicodedata
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import INSTANCES, check_columns, open_parquet
from nearfirst.data.instances import text_of
from nearfirst.distance.distances import ROWS

Unit = Literal["words", "characters"]
Gram = tuple[str, ...] | str

_WORD = re.compile(r"\w+")


class Exchange(NamedTuple):
    """The first exchange of an instance, normalised.

    Attributes
    ----------
    prompt
        The user's turn.
    text
        Both turns, `{instruction} {answer}`: what is embedded too.
    """

    prompt: str
    text: str


def normalised(text: str) -> str:
    """Return text in one form of Unicode (NFKC), without case, single blanks for white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(text: str, n: int, unit: Unit = "words") -> Set[Gram]:
    """Return the different n-grams of a normalised text; the whole of it if it is shorter.

    Words are runs of letters, digits and underscores, so that punctuation makes no difference. A
    text without any has no n-grams.
    """
    if unit == "characters":
        return {text[i : i + n] for i in range(max(1, len(text) - n + 1))} - {""}
    words = _WORD.findall(text)
    if len(words) <= n:
        return {tuple(words)} - {()}
    return set(zip(*(words[i:] for i in range(n)), strict=False))


def read_exchanges(path: Path, rows: int = ROWS) -> Iterator[list[Exchange]]:
    """Yield the first exchanges of an instance table, `rows` at a time and the rest at the end.

    The table is read piece by piece, so that texts of a large pool are never in memory together.

    Raises
    ------
    InputError
        If the file is missing or damaged, or a row does not begin with a user and an assistant
        turn that hold text.
    """
    found: list[Exchange] = []
    row = 0
    with open_parquet(path) as file:
        check_columns(path, file.schema_arrow, pa.schema([INSTANCES.field("messages")]))
        try:
            for batch in file.iter_batches(rows, columns=["messages"]):
                for messages in batch.column("messages").to_pylist():
                    found.append(_exchange(path, row, messages))
                    row += 1
                    if len(found) == rows:
                        yield found
                        found = []
        except (pa.ArrowInvalid, OSError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: damaged ({reason}); make it again") from None
    if found:
        yield found


def _exchange(path: Path, row: int, messages: list[Any] | None) -> Exchange:
    first = (messages or [])[:2]
    roles = [message and message["role"] for message in first]
    if roles != ["user", "assistant"]:
        raise InputError(
            f"{path}: row {row} begins with the turns {roles}, expected user, then assistant"
        )
    if any(message["content"] is None for message in first):
        raise InputError(f"{path}: row {row} has a turn without text")
    return Exchange(normalised(first[0]["content"]), normalised(text_of(first)))
