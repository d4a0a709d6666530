"""The input and the result of an arrangement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nearfirst.arrange.tma import Rounds
from nearfirst.common.by_task import rows_by_task
from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Message
from nearfirst.distance.distances import ROWS, Matrix, RowDistances, in_blocks

Positions = npt.NDArray[np.int64]


def _no_distances(rows: slice | npt.NDArray[np.int64]) -> Matrix:
    raise InputError("these training instances came without embeddings, so there are no distances")


@dataclass(frozen=True)
class Pool:
    """N training instances, and the M test instances that they are near to or far from.

    Attributes
    ----------
    size
        N.
    tasks, messages, scores, tokens
        Of each training instance: its task, its messages as {role, content}, its score, and its
        number of tokens in training; empty if not needed.
    queries, query_tasks
        Messages and task of each test instance; empty if not needed.
    train, test
        (N, d) and (M, d) embeddings; empty if not needed. Those of a large pool are
        `nearfirst.common.on_disk.RowsOnDisk`.
    distances
        Gives the distances of selected training instances to all test instances.
    measure
        `cosine` or `euclidean`, for distances between other points.
    threads
        CPU threads; they do not change an arrangement.
    """

    size: int
    tasks: Sequence[str] = ()
    train: Matrix = field(default_factory=lambda: np.empty((0, 0), np.float32))
    test: Matrix = field(default_factory=lambda: np.empty((0, 0), np.float32))
    distances: RowDistances = _no_distances
    measure: str = "cosine"
    threads: int = 2
    messages: Sequence[Sequence[Message]] = ()
    queries: Sequence[Sequence[Message]] = ()
    scores: Sequence[float] | npt.NDArray[np.float64] = ()
    tokens: Sequence[int] = ()
    query_tasks: Sequence[str] = ()

    def keeping(self, rows: Positions) -> "Pool":
        """Return a pool of (n,) of its instances."""

        def select(values: Any) -> Any:
            return [values[row] for row in rows] if len(values) else []

        parts = {
            name: select(getattr(self, name)) for name in ("tasks", "messages", "scores", "tokens")
        }
        if len(self.train):
            parts["train"] = getattr(self.train, "keeping", self.train.__getitem__)(rows)
        return replace(
            self, size=len(rows), distances=lambda part: self.distances(rows[part]), **parts
        )

    def each_block(self, work: Callable[[slice, Matrix], None]) -> None:
        """Call `work` with each block of rows and their (n, M) distances."""

        def work_on_block(start: int) -> None:
            rows = slice(start, min(start + ROWS, self.size))
            work(rows, self.distances(rows))

        in_blocks(work_on_block, range(0, self.size, ROWS), self.threads, "distances")


@dataclass(frozen=True)
class Arranged:
    """An order of training, of the whole pool or a part of it.

    `order` holds (n,) indices into the pool; `rounds` their TMA rounds, from 1, or None for other
    methods.
    """

    order: Positions
    rounds: Rounds | None = None


def tie_ranks(size: int, seed: int) -> Positions:
    """Return a (size,) permutation by which ties are broken: by the seed, not by the file."""
    # A different stream from that of the shuffles.
    return np.random.default_rng([seed, 1]).permutation(size)


def by_distance(
    distances: npt.NDArray[np.float64], order: Literal["nearest", "farthest"], seed: int
) -> Positions:
    """Sort (n,) distances, nearest or farthest first, ties by the seed; return the indices."""
    ranks = tie_ranks(len(distances), seed)
    return np.lexsort((ranks, distances if order == "nearest" else -distances))


def shuffled_tasks(pool: Pool, seed: int) -> list[Positions]:
    """Return the instances of each task, with the tasks and their instances shuffled."""
    generator = np.random.default_rng(seed)
    tasks = [generator.permutation(task) for task in rows_by_task(pool.tasks).values()]
    return [tasks[i] for i in generator.permutation(len(tasks))]
