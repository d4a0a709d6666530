"""What an arrangement is made from, and what it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nearfirst.arrange.tma import Rounds
from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Message
from nearfirst.distance.distances import ROWS, Matrix, RowDistances, in_blocks

Positions = npt.NDArray[np.int64]


_NOTHING: Matrix = np.empty((0, 0), dtype=np.float32)


def _no_distances(rows: slice | npt.NDArray[np.int64]) -> Matrix:
    raise InputError("these training instances came without embeddings, so there are no distances")


@dataclass(frozen=True)
class Pool:
    """The N training instances, and the M test instances that they are near to or far from.

    Attributes
    ----------
    size
        N.
    tasks, messages, scores, tokens
        Task of each training instance, its messages as {role, content}, its score, and its tokens
        as it is trained on; empty if none are needed.
    queries, query_tasks
        Messages and task of each test instance; empty if none are needed.
    train, test
        (N, d) and (M, d) embeddings; empty if the method needs none. Those of a large pool are
        `nearfirst.common.on_disk.RowsOnDisk`.
    distances
        Gives the distances of some of the training instances to all test instances.
    measure
        `cosine` or `euclidean`, for distances of other points.
    threads
        CPU threads; they do not change an arrangement.
    """

    size: int
    tasks: Sequence[str] = ()
    train: Matrix = field(default_factory=lambda: _NOTHING)
    test: Matrix = field(default_factory=lambda: _NOTHING)
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

        def of(its: Any) -> list[Any]:
            return [its[row] for row in rows] if len(its) else []

        return replace(
            self,
            size=len(rows),
            tasks=of(self.tasks),
            messages=of(self.messages),
            scores=of(self.scores),
            tokens=of(self.tokens),
            train=getattr(self.train, "keeping", self.train.__getitem__)(rows)
            if len(self.train)
            else self.train,
            distances=lambda part: self.distances(rows[part]),
        )

    def each_block(self, work: Callable[[slice, Matrix], None]) -> None:
        """Call `work` with some rows and their (n, M) distances, until it has seen all N."""

        def block(start: int) -> None:
            rows = slice(start, min(start + ROWS, self.size))
            work(rows, self.distances(rows))

        in_blocks(block, range(0, self.size, ROWS), self.threads, "distances")


@dataclass(frozen=True)
class Arranged:
    """An order of training, of all instances of the pool or of some.

    `order` holds (n,) indices into the pool; `rounds` their TMA rounds, from 1, or None for other
    methods.
    """

    order: Positions
    rounds: Rounds | None = None


def tie_ranks(size: int, seed: int) -> Positions:
    """Return (size,) ranks: of equally near instances the seed, not the file, says who is first."""
    # Another stream than that of the shuffles.
    return np.random.default_rng([seed, 1]).permutation(size)


def by_distance(
    distances: npt.NDArray[np.float64], order: Literal["nearest", "farthest"], seed: int
) -> Positions:
    """Return the indices of (n,) distances, the nearest or the farthest first, ties by the seed."""
    ranks = tie_ranks(len(distances), seed)
    return np.lexsort((ranks, distances if order == "nearest" else -distances))
