"""Compare what a trainer saw with a pool in its order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from nearfirst.common.errors import InputError
from nearfirst.data import chat_rows
from nearfirst.data.readers import user_files
from nearfirst.model.tokenizer import load_tokenizer
from nearfirst.seen.rows import LENGTH, Part, Texts

Step = tuple[int, list[str]]
"""A step's number and the sequences that all processes saw in it."""

_load_tokenizer = cache(load_tokenizer)

MAX_LISTED = 5
"""Omitted or repeated rows that are listed by name."""


@dataclass
class Order:
    """The result of a comparison; `str` puts it into words."""

    deviation: str | None = None
    """The first deviation; None if the order was kept."""
    facts: list[str] = field(default_factory=list)
    omitted: list[int] = field(default_factory=list)
    """Rows of the pool, from 0, that were seen less often than the others."""
    repeated: list[int] = field(default_factory=list)
    """Rows that were seen more often than the others."""

    def __str__(self) -> str:
        verdict = f"not in order: {self.deviation}" if self.deviation else "in order"
        return "\n".join([verdict, *self.facts])


def check_order(
    pool: str | Path | Iterable[dict[str, Any]],
    seen: str | Path | Iterable[Step],
    tokenizer: str | None = None,
) -> Order:
    """Compare what a trainer saw with the order of a pool.

    The order within a step does not matter, since its gradients are summed. Any number of passes
    counts as in order. In each, the last batch may be missing or filled up with the first rows.

    Parameters
    ----------
    pool
        A file or folder in any form that the workflow reads, or its rows.
    seen
        The folder or file that `log.LogSeen` wrote, or steps with their sequences.
    tokenizer
        Folder or Hugging Face id of a model, for a log with `input_ids` instead of `texts`.

    Raises
    ------
    InputError
        If a file cannot be read, or if no row of the pool can be recognized.
    """
    rows = list(_read_rows(pool))
    steps = list(read_log(seen, tokenizer) if isinstance(seen, str | Path) else seen)
    return compare([id_ for id_, _ in rows], Texts(messages for _, messages in rows), steps)


def read_log(path: str | Path, model: str | None = None) -> Iterator[Step]:
    """Yield the steps of a log, with the sequences of all processes.

    Steps that a resumed run repeats count once. A record is a JSON object with `step` and `texts`,
    or with `input_ids`, which the tokenizer of `model` decodes. Raises InputError as `check_order`.
    """
    path = Path(path)
    files = sorted(path.glob("process-*.jsonl")) if path.is_dir() else [path]
    records: list[tuple[int, int, int, list[str]]] = []
    for process, file in enumerate(files):
        of_process: list[tuple[int, int, int, list[str]]] = []
        for number, (where, record) in enumerate(user_files.rows(file)):
            if "resumed_after" in record:
                of_process = [item for item in of_process if item[0] <= record["resumed_after"]]
            elif "step" in record and {"texts", "input_ids"} & record.keys():
                texts = _decode_record(record, where, model)
                of_process.append((record["step"], number, process, texts))
            else:
                raise InputError(f"{where}: no 'step' with 'texts' or 'input_ids'")
        records += of_process
    if not records:
        raise InputError(f"{path}: no sequence; expected the folder or file that LogSeen wrote")
    for step, of_step in groupby(sorted(records), key=lambda record: record[0]):
        yield step, [text for *_, texts in of_step for text in texts]


def _decode_record(record: dict[str, Any], where: str, model: str | None) -> list[str]:
    if "texts" in record:
        return list(record["texts"])
    if not model:
        raise InputError(f"{where}: token ids; name the model of their tokenizer (--tokenizer)")
    tokenizer = _load_tokenizer(model, "--tokenizer")
    return list(tokenizer.batch_decode(record["input_ids"], skip_special_tokens=True))


def _read_rows(pool: str | Path | Iterable[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the id of each row, or its number from 1, and its messages."""
    if isinstance(pool, str | Path):
        files = user_files.find(Path(pool)).read
        pool = (row for file in files for _, row in user_files.rows(file))
    for number, row in enumerate(pool, 1):
        forms = (columns for columns in chat_rows.FORMS.values() if row.keys() >= {*columns})
        # For other column names take all texts of the row: additional texts do no harm.
        columns = [*next(forms, row), "input", "system"]
        messages = [text for name in columns for text in _texts_in(row.get(name))]
        yield str(row.get("id", number)), messages


def _texts_in(value: Any) -> list[str]:
    """Return the texts in a column, including those of its turns."""
    if isinstance(value, list):
        return [text for turn in value for text in _texts_in(turn)]
    if isinstance(value, dict):
        return _texts_in(value.get("content", value.get("value", value.get("text"))))
    return [value] if isinstance(value, str) else []


def compare(ids: Sequence[str], texts: Texts, steps: Sequence[Step]) -> Order:
    """Compare the sequences of steps with the rows that have these ids and texts."""
    rows = [row for row, text in enumerate(texts.of_row) if texts.num_unique[text]]
    if not rows:
        raise InputError(
            f"the pool: no row has {LENGTH} consecutive letters that no other row has, so no row "
            "can be recognized"
        )
    expected = [texts.of_row[row] for row in rows]
    first_row = dict(zip(reversed(expected), reversed(rows), strict=True))

    def describe(row: int) -> str:
        return f"row {row + 1} (id '{ids[row]}')"

    order, walk = Order(), _Walk(expected, texts)
    seen: Counter[int] = Counter()
    num_unmatched = 0
    for step, step_texts, unmatched in _match_steps(texts, steps):
        seen.update(step_texts)
        if not order.deviation:
            extra = [describe(first_row[text]) for text in walk.take(step_texts, unmatched)]
            if unmatched and len(rows) == len(texts.of_row):
                extra.append(f"text of no row, '{unmatched[0].strip()[:60]}'")
            if extra:
                due = describe(rows[walk.next]) if walk.next < len(rows) else "no row"
                order.deviation = f"in step {step} {due} was due, but {extra[0]} was seen"
        num_unmatched += len(unmatched)
    seen.update(walk.resembled)
    if order.deviation:
        per_pass = Counter(expected)
        passes = int(np.median([seen[text] // n for text, n in per_pass.items()]))
        surplus = [seen[text] - max(1, passes) * per_pass[text] for text in expected]
        order.omitted = [row for row, n in zip(rows, surplus, strict=True) if n < 0]
        order.repeated = [row for row, n in zip(rows, surplus, strict=True) if n > 0]
    else:
        passes, rest = walk.passes()
        order.omitted = [rows[i] for i in sorted({*walk.dropped, *rest})]
        order.repeated = rows[: walk.filled]

    num_sequences = sum(len(sequences) for _, sequences in steps)
    order.facts.append(
        f"{seen.total()} rows in {num_sequences} sequences and {len(steps)} steps; {len(rows)} "
        f"rows in the pool, {passes} whole {'pass' if passes == 1 else 'passes'}"
    )
    for kind, listed in (("omitted", order.omitted), ("repeated", order.repeated)):
        if listed:
            names = [*map(describe, listed[:MAX_LISTED]), *(["…"] * (len(listed) > MAX_LISTED))]
            order.facts.append(f"{len(listed)} {kind}: {', '.join(names)}")
    if num_skipped := len(texts.of_row) - len(rows):
        order.facts.append(
            f"{num_skipped} rows of the pool were not looked for: they have no {LENGTH} "
            "consecutive letters that no other row has"
        )
    if num_unmatched:
        order.facts.append(f"{num_unmatched} sequences match no row")
    return order


def _match_steps(texts: Texts, steps: Iterable[Step]) -> Iterator[tuple[int, list[int], list[str]]]:
    """Yield each step with the texts that begin in it, and its sequences without any text."""
    before: Part | None = None
    for step, sequences in steps:
        begun, unmatched = [], []
        for sequence in sequences:
            parts = texts.parts(sequence)
            if not parts and len("".join(sequence.split())) >= LENGTH:
                unmatched.append(sequence)
            for part in parts:
                # Skip the rest of a row that packing has cut in two.
                if not (before and before.text == part.text and part.middle > before.end):
                    begun.append(part.text)
                before = part
        yield step, begun, unmatched


class _Walk:
    """Walks through the expected texts, pass after pass, as far as steps hold them."""

    def __init__(self, expected: list[int], texts: Texts) -> None:
        self.expected, self.texts = expected, texts
        self.next = self.ended = self.largest_step = 0
        self.filled = 0
        """First rows that fill up the last step of a pass: the next step may repeat them."""
        self.dropped: set[int] = set()
        self.resembled: list[int] = []

    def take(self, texts: list[int], unmatched: list[str]) -> list[int]:
        """Advance by a step; return those of its texts that are not due.

        Sequences in `unmatched` that resemble a text that is due are removed.
        """
        self.largest_step = max(self.largest_step, len(texts) + len(unmatched))
        left, first = Counter(texts), self.expected[0]
        if self.filled and left[first]:
            self.next = 0
        self.filled = 0
        start = self.next
        while left.total() or unmatched:
            missing = len(self.expected) - self.next
            due = self.expected[self.next] if missing else None
            if due is not None and left[due]:
                left[due] -= 1
                self.next += 1
            elif left[first] and (
                not missing or (self.next == start and missing < self.largest_step)
            ):
                self.dropped |= {*range(self.next, len(self.expected))}
                self.ended += 1
                self.filled = 1 if self.next > start else 0
                self.next = start = 0
            elif due is not None and (
                match := next((s for s in unmatched if self.texts.resembles(s, due)), None)
            ):
                unmatched.remove(match)
                self.resembled.append(due)
                self.next += 1
            else:
                return list(left.elements())
        self.filled = self.next if self.filled else 0
        return []

    def passes(self) -> tuple[int, range]:
        """Return the number of whole passes, and the positions not seen in the last pass."""
        if self.filled:
            return self.ended, range(0)
        rest = range(self.next, len(self.expected))
        return self.ended + (not rest), rest
