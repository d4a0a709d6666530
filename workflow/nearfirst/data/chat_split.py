"""What of one's own data is trained on and what is tested, and whether the two share anything."""

import difflib
import json
from array import array
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from nearfirst.common.errors import InputError
from nearfirst.data import sample
from nearfirst.data.conversation import Instance
from nearfirst.data.formats.chat import ChatSampleSettings
from nearfirst.data.sample import Inventory
from nearfirst.data.settings import HeldOut

MOST_HELD_OUT = 200
"""Most rows that are held out where nothing says how many."""


class Parts(NamedTuple):
    """Row numbers of the pool: those to train on, and those that are the test set."""

    train: set[int]
    test: set[int]


def split(found: Inventory, settings: ChatSampleSettings, part: str, holds_out: HeldOut) -> Parts:
    """Choose the rows of the pool for one part of the data.

    Parameters
    ----------
    found
        The pool.
    part
        `train`; `heldout` if rows are held out; `specialist-S` or `generalist-S` if tasks are.
    holds_out
        What of the pool is held out.

    Returns
    -------
    The training rows, of which at most `train_per_task` of a task if `part` is `train`, and the
    test set, empty if `part` is `train` and tasks are held out.

    Raises
    ------
    InputError
        If nothing would be left to train on, an unseen task is not in the pool, or there is no such
        part.
    """
    kind, _, seed = part.partition("-")
    parts = {"nothing": ["train"], "rows": ["train", "heldout"]}.get(holds_out)
    if parts and part not in parts:
        raise InputError(f"--split {part}: of this pool there is {' and '.join(parts)} alone")
    test: set[int] = set()
    rows = {task: list(its) for task, its in found.rows.items()}
    if holds_out == "rows":
        total = sum(map(len, rows.values()))
        train, test = sample.hold_out(found, _number(settings, total), settings.split_seed)
        rows = {task: [row for row in its if row in train] for task, its in rows.items()}
    elif holds_out == "tasks":
        trained, unseen = _tasks(found, settings)
        of_unseen = {task: rows[task] for task in unseen}
        rows = {task: rows[task] for task in trained}
        if kind == "specialist" and seed.isdecimal():
            most = settings.specialist_per_task
            test = sample.sample_rows(of_unseen, unseen, most, int(seed))
        elif kind == "generalist" and seed.isdecimal():
            test = sample.sample_over_tasks(of_unseen, unseen, settings.generalist, int(seed))
        elif part != "train":
            raise InputError(f"--split {part}: expected train, specialist-SEED or generalist-SEED")
    capped = settings.train_per_task if part == "train" else None
    return Parts(sample.sample_rows(rows, list(rows), capped, settings.train_seed), test)


def _number(settings: ChatSampleSettings, rows: int) -> int:
    """Return how many of so many rows are held out."""
    its = settings.held_out
    if isinstance(its, int):
        return its
    count = max(1, round((0.1 if its is None else its) * rows))
    return min(count, MOST_HELD_OUT) if its is None else count


def _tasks(found: Inventory, settings: ChatSampleSettings) -> tuple[list[str], list[str]]:
    """Return the training and the unseen tasks."""
    unseen = settings.unseen_tasks
    if not isinstance(unseen, list):
        return sample.split_tasks(found.rows, unseen, settings.split_seed)
    for name in unseen:
        if name not in found.rows:
            nearest = difflib.get_close_matches(name, found.rows, 1, 0.6)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise InputError(f"sample.unseen_tasks: no usable row has the task {name!r}{hint}")
    trained = sorted(set(found.rows) - set(unseen))
    if not trained:
        raise InputError("sample.unseen_tasks: names all tasks, which leaves none to train on")
    return trained, sorted(set(unseen))


class Overlap:
    """Which test conversations stand in the training data too, but for white space.

    A text is kept as eight bytes, so that those of a large pool fit into memory.
    """

    def __init__(self) -> None:
        self._train = array("Q")
        self._test: dict[str, int] = {}

    def add_train(self, instance: Instance) -> None:
        """Add a conversation that is trained on."""
        self._train.append(_digest(instance))

    def add_test(self, instance: Instance) -> None:
        """Add a conversation of the test set."""
        self._test[instance.id] = _digest(instance)

    def warning(self) -> str | None:
        """Return what to tell the user; None if the two share nothing."""
        texts = set(self._test.values())
        in_train = [text for text in self._train if text in texts]
        shared = set(in_train)
        ids = [id_ for id_, text in self._test.items() if text in shared]
        if not ids:
            return None
        counts = f"{len(ids)} of {len(self._test)} test conversations"
        if len(in_train) == len(self._train) and len(ids) == len(self._test):
            return f"the test set is the training set: {counts} are trained on; give another"
        return (
            f"{counts} stand word for word among the {len(self._train)} training conversations, "
            f"the first as '{ids[0]}'; their loss says nothing of what is new"
        )


def _digest(instance: Instance) -> int:
    turns: Iterable[str] = (" ".join(turn["content"].split()) for turn in instance.messages)
    text = json.dumps(list(turns)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest())
