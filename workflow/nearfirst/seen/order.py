"""Compare what a trainer saw with a pool in its order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from nearfirst.common.errors import InputError, one_line
from nearfirst.data import chat_rows
from nearfirst.data.readers import user_files
from nearfirst.seen.rows import LENGTH, Part, Texts

Step = tuple[int, list[str]]
"""A step's number and the sequences that all processes saw in it."""


SHOWN = 5
"""Rows of a kind that are named."""


@dataclass
class Order:
    """What was found; `str` says it in words."""

    deviation: str | None = None
    """The first one; None if the order was kept."""
    facts: list[str] = field(default_factory=list)
    omitted: list[int] = field(default_factory=list)
    """Rows of the pool, from 0, that were seen less often than the others."""
    repeated: list[int] = field(default_factory=list)
    """Rows that were seen more often than the others."""

    def __str__(self) -> str:
        kept = f"not in order: {self.deviation}" if self.deviation else "in order"
        return "\n".join([kept, *self.facts])


def check_order(
    pool: str | Path | Iterable[dict[str, Any]],
    seen: str | Path | Iterable[Step],
    tokenizer: str | None = None,
) -> Order:
    """Return whether a trainer saw a pool in its order.

    Within a step the order is of no account: its gradients are summed. Any number of passes counts
    as in order, each of the whole pool but for the last batch, which may be left out or be filled
    up with the first rows.

    Parameters
    ----------
    pool
        A file or folder in any form of data of one's own, or its rows.
    seen
        The folder or file that `log.LogSeen` wrote, or steps with their sequences.
    tokenizer
        Folder or Hugging Face id of a model, for a log with `input_ids` in place of `texts`.

    Raises
    ------
    InputError
        If a file cannot be read, or there is nothing in it that could be recognised.
    """
    rows = list(_rows(pool))
    steps = list(read_log(seen, tokenizer) if isinstance(seen, str | Path) else seen)
    return compare([id_ for id_, _ in rows], Texts(its for _, its in rows), steps)


def read_log(path: str | Path, model: str | None = None) -> Iterator[Step]:
    """Yield the steps of a log, with the sequences of all processes.

    Where a run was resumed, what the one before saw after that step does not count. A record is a
    JSON object with `step` and `texts`, or `input_ids`, which the tokenizer of `model` decodes.
    Raises InputError as `check_order`.
    """
    path = Path(path)
    files = sorted(path.glob("process-*.jsonl")) if path.is_dir() else [path]
    records: list[tuple[int, int, int, list[str]]] = []
    for process, file in enumerate(files):
        its: list[tuple[int, int, int, list[str]]] = []
        for number, (where, record) in enumerate(user_files.rows(file)):
            if "resumed_after" in record:
                its = [each for each in its if each[0] <= record["resumed_after"]]
            elif "step" in record and {"texts", "input_ids"} & record.keys():
                its.append((record["step"], number, process, _texts(record, where, model)))
            else:
                raise InputError(f"{where}: no 'step' with 'texts' or 'input_ids'")
        records += its
    if not records:
        raise InputError(f"{path}: no sequence; expected the folder or file that LogSeen wrote")
    for step, of_step in groupby(sorted(records), key=lambda record: record[0]):
        yield step, [text for *_, texts in of_step for text in texts]


def _texts(record: dict[str, Any], where: str, model: str | None) -> list[str]:
    if "texts" in record:
        return list(record["texts"])
    if not model:
        raise InputError(f"{where}: token ids; name the model of their tokenizer (--tokenizer)")
    return list(_tokenizer(model).batch_decode(record["input_ids"], skip_special_tokens=True))


@cache
def _tokenizer(model: str) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{model}: no tokenizer that can be loaded ({one_line(error)})") from None


def _rows(pool: str | Path | Iterable[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the id of each row, or its number from 1, and its messages."""
    if isinstance(pool, str | Path):
        files = user_files.files(Path(pool))
        pool = (row for file in files for _, row in user_files.rows(file))
    for number, row in enumerate(pool, 1):
        forms = (its for its in chat_rows.FORMS.values() if row.keys() >= {*its})
        # A row with columns of other names: all its texts, since others do no harm.
        columns = [*next(forms, row), "input", "system"]
        said = [text for name in columns for text in _said(row.get(name))]
        yield str(row.get("id", number)), said


def _said(value: Any) -> list[str]:
    """Return the texts of a column: its own, or those of its turns."""
    if isinstance(value, list):
        return [text for turn in value for text in _said(turn)]
    if isinstance(value, dict):
        return _said(value.get("content", value.get("value", value.get("text"))))
    return [value] if isinstance(value, str) else []


def compare(ids: Sequence[str], texts: Texts, steps: Sequence[Step]) -> Order:
    """Return how the sequences of steps differ from the rows with these ids and texts."""
    rows = [row for row, text in enumerate(texts.of_row) if texts.own[text]]
    if not rows:
        raise InputError(
            f"the pool: no row has {LENGTH} letters in a row that no other has, so none can be "
            "recognised"
        )
    expected = [texts.of_row[row] for row in rows]
    row_of = dict(zip(reversed(expected), reversed(rows), strict=True))

    def named(row: int) -> str:
        return f"row {row + 1} (id '{ids[row]}')"

    found, walk = Order(), _Walk(expected, texts)
    seen: Counter[int] = Counter()
    strangers: list[str] = []
    for step, its, strange in _recognised(texts, steps):
        seen.update(its)
        extra = []
        if not found.deviation:
            extra = [named(row_of[text]) for text in walk.take(its, strange)]
        strangers += strange
        if found.deviation:
            continue
        if strange and len(rows) == len(texts.of_row):
            extra.append(f"text of no row, '{strange[0].strip()[:60]}'")
        if extra:
            wanted = named(rows[walk.next]) if walk.next < len(rows) else "no row"
            found.deviation = f"in step {step} {wanted} was due, but {extra[0]} was seen"
    seen.update(walk.by_likeness)
    if found.deviation:
        share = Counter(expected)
        passes = max(1, int(np.median([seen[text] // count for text, count in share.items()])))
        more = {text: seen[text] - passes * count for text, count in share.items()}
        found.omitted = [row for row in rows if more[texts.of_row[row]] < 0]
        found.repeated = [row for row in rows if more[texts.of_row[row]] > 0]
    else:
        passes, rest = walk.passes()
        found.omitted = [rows[place] for place in sorted({*walk.dropped, *rest})]
        found.repeated = rows[: walk.filled]

    sequences = sum(len(its) for _, its in steps)
    found.facts.append(
        f"{seen.total()} rows in {sequences} sequences and {len(steps)} steps; {len(rows)} rows in "
        f"the pool, {passes} whole {'pass' if passes == 1 else 'passes'}"
    )
    for what, its in (("omitted", found.omitted), ("repeated", found.repeated)):
        if its:
            more_of_it = ", …" if len(its) > SHOWN else ""
            found.facts.append(
                f"{len(its)} {what}: {', '.join(map(named, its[:SHOWN]))}{more_of_it}"
            )
    if hidden := len(texts.of_row) - len(rows):
        found.facts.append(
            f"{hidden} rows of the pool were not looked for: none of their stretches of {LENGTH} "
            "letters is theirs alone"
        )
    if strangers:
        found.facts.append(f"{len(strangers)} sequences hold no row that was recognised")
    return found


def _recognised(texts: Texts, steps: Iterable[Step]) -> Iterator[tuple[int, list[int], list[str]]]:
    """Yield each step with the texts that begin in it, and its sequences without any."""
    before: Part | None = None
    for step, sequences in steps:
        found, strange = [], []
        for sequence in sequences:
            parts = texts.parts(sequence)
            if not parts and len("".join(sequence.split())) >= LENGTH:
                strange.append(sequence)
            for part in parts:
                # Not the rest of a row that packing has cut in two.
                if not (before and before.text == part.text and part.middle > before.end):
                    found.append(part.text)
                before = part
        yield step, found, strange


class _Walk:
    """Goes through the expected texts, pass after pass, as far as steps hold them."""

    def __init__(self, expected: list[int], texts: Texts) -> None:
        self.expected, self.texts = expected, texts
        self.next = self.ended = self.largest = 0
        self.filled = 0
        """First rows at the end of the last step of a pass: the next step may have them again."""
        self.dropped: set[int] = set()
        self.by_likeness: list[int] = []

    def take(self, texts: list[int], strange: list[str]) -> list[int]:
        """Go on by a step; return its texts that are not due.

        Of its sequences that hold no text, those that may be of one that is due are removed.
        """
        self.largest = max(self.largest, len(texts) + len(strange))
        left, first = Counter(texts), self.expected[0]
        if self.filled and left[first]:
            self.next = 0
        self.filled = 0
        begun = self.next
        while left.total() or strange:
            missing = len(self.expected) - self.next
            if missing and left[self.expected[self.next]]:
                left[self.expected[self.next]] -= 1
                self.next += 1
            elif left[first] and (not missing or (self.next == begun and missing < self.largest)):
                self.dropped |= {*range(self.next, len(self.expected))}
                self.ended += 1
                self.filled = 1 if self.next > begun else 0
                self.next = begun = 0
            elif missing and (like := self._like(self.expected[self.next], strange)):
                strange.remove(like)
                self.by_likeness.append(self.expected[self.next])
                self.next += 1
            else:
                return list(left.elements())
        self.filled = self.next if self.filled else 0
        return []

    def _like(self, text: int, strange: list[str]) -> str | None:
        return next((one for one in strange if self.texts.resembles(one, text)), None)

    def passes(self) -> tuple[int, range]:
        """Return how many passes are whole, and the places of those not seen in the last one."""
        if self.filled:
            return self.ended, range(0)
        rest = range(self.next, len(self.expected))
        return self.ended + (not rest), rest
