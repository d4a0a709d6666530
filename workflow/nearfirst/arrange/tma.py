"""Test-centric Multi-turn Arrangement (Algorithm 1), exact, without sorting all distances.

Every test point keeps a list of its nearest remaining training points, nearest first. A round takes
the heads of all lists; then each list moves on, past the points that are gone. When a list runs
dry, one pass over the distances makes new lists of the points that are left.

A list is all remaining points up to some place in the order of (distance, rank): never one
without those before it. How long it gets does not change the rounds, only the number of passes.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import numpy.typing as npt

from nearfirst.common.errors import InputError
from nearfirst.distance.distances import ROWS, Matrix, RowDistances, in_blocks

# The root's own functions would set up logging in whatever program imports this.
LOG = logging.getLogger(__name__)

Integers = npt.NDArray[np.int64]
Rounds = npt.NDArray[np.int32]

ENTRIES = 2**27
"""Entries of all lists together, 8 bytes each."""

SHARE = 8
"""The lists of many points hold one in so many: more take longer to find than a further pass."""

SAMPLED = 2**24
"""Distances a pass looks at to guess how far a list of the wanted length reaches."""

INDEX = 2**32 - 1
"""The bits of a key that hold the rank."""


def tma_rounds(distances: Matrix) -> Rounds:
    """Return the round of every training point, from an (N, M) matrix; see `rounds_by`."""
    return rounds_by(lambda rows: distances[rows], *distances.shape)


def rounds_by(
    distances: RowDistances,
    points: int,
    tests: int,
    *,
    threads: int = 2,
    entries: int = ENTRIES,
    sampled: int = SAMPLED,
    ranks: Integers | None = None,
    take: Callable[[Integers, Rounds, int], int] | None = None,
) -> Rounds:
    """Return the round of every training point by Test-centric Multi-turn Arrangement.

    Algorithm 1: while training points remain, a round is the set of the points that are the
    nearest remaining one to at least one test point; they leave the pool together. Ties go to the
    lowest rank.

    Parameters
    ----------
    distances
        Gives the distances of some of the N training points to the M test points.
    points, tests
        N and M.
    threads, entries, sampled
        CPU threads; length of all lists together, at most; distances looked at before a pass. They
        do not change the rounds.
    take
        Another rule than Algorithm 1's, in place of `_take_rounds`.
    ranks
        (N,) the numbers from 0 in any order, one for each training point; None: its index.

    Returns
    -------
    (N,) rounds from 1, int32.

    Raises
    ------
    InputError
        If a distance is not a number.
    """
    ranks = np.arange(points) if ranks is None else ranks
    # By rank. The last one stands for the end of a list: a point that is never taken.
    rounds = np.zeros(points + 1, dtype=np.int32)
    size = min(points, max(1, entries // tests), max(ROWS, points // SHARE))
    lists = _Lists(tests, size, end=points)
    generator = np.random.default_rng(0)
    number = 0
    since, passes = time.monotonic(), 0
    while len(left := np.flatnonzero(rounds[ranks] == 0)):
        some = left
        if len(left) > (size_of_sample := max(1, sampled // tests)):
            some = np.sort(generator.choice(left, size_of_sample, replace=False))
        parts = np.array_split(some, -(-len(some) // ROWS))
        reach = lists.guess_reach(np.concatenate(list(map(distances, parts))), len(left))
        while True:
            lists.fill(distances, left, ranks, reach, threads)
            if (found := lists.lengths > 0).all():
                break
            # Rounding can hide even the nearest point of a sample.
            if np.isposinf(reach[~found]).any():
                raise InputError("a distance is not a number; compute the distances again")
            reach = np.where(found, -np.inf, np.inf).astype(np.float32)
        lists.sort(threads)
        number = (take or _take_rounds)(lists.keys, rounds, number)
        passes += 1
        taken = np.count_nonzero(rounds[:-1])
        seconds = time.monotonic() - since
        LOG.info(
            "pass %d: %d rounds, %d of %d points taken (%.0f points/s), %.0f s left",
            *(passes, number, taken, points, taken / seconds, seconds / taken * (points - taken)),
        )
    return rounds[ranks]


def _take_rounds(keys: Integers, rounds: Rounds, number: int) -> int:
    """Take rounds after `number` until a list runs dry; return the number of the last.

    `keys` are (M, K + 1) sorted lists, ended by the last index of `rounds`. These (N + 1,) rounds,
    0 for a point that remains, are filled in.
    """
    flat, end = keys.reshape(-1), len(rounds) - 1
    pointer = np.arange(0, keys.size, keys.shape[1])
    every = np.arange(len(keys))
    while (heads := flat[pointer] & INDEX).max() < end:
        number += 1
        rounds[heads] = number
        pointer += 1
        behind, width = every, 4
        while len(behind):
            # The end is never taken, so what lies behind it, anything, is not reached.
            ahead = flat.take(pointer[behind, None] + np.arange(width), mode="clip") & INDEX
            remains = rounds.take(ahead, mode="clip") == 0
            step = remains.argmax(axis=1)
            arrived = remains[np.arange(len(behind)), step]
            pointer[behind] += np.where(arrived, step, width)
            behind, width = behind[~arrived], min(2 * width, 256)
    return number


class _Lists:
    """The nearest remaining training points of each of M test points, K at most.

    An entry is one integer that sorts by distance, then rank.

    Attributes
    ----------
    keys
        (M, K + 1) int64: each list, and after `sort` an entry of the index `end` behind it.
    lengths
        (M,) entries of each list.
    """

    def __init__(self, tests: int, size: int, end: int) -> None:
        self.keys = np.empty((tests, size + 1), dtype=np.int64)
        self.lengths = np.zeros(tests, dtype=np.int64)
        self._size = size
        self._end = end
        self._reach = np.empty(tests, dtype=np.float32)
        # A list that was cut is whole up to here.
        self._last = np.empty(tests, dtype=np.int64)
        self._lock = Lock()

    def guess_reach(self, sample: Matrix, left: int) -> Matrix:
        """Return the (M,) distances up to which lists do not grow too long.

        `sample` holds the (n, M) distances of n of the `left` remaining points, drawn at random.
        """
        if left <= self._size:
            return np.full(len(self.keys), np.inf, dtype=np.float32)
        rank = int(0.9 * self._size / left * len(sample))
        reach: Matrix = np.partition(sample.T, rank, axis=1)[:, rank]
        return reach

    def fill(
        self,
        distances: RowDistances,
        left: Integers,
        ranks: Integers,
        reach: Matrix,
        threads: int,
    ) -> None:
        """Put the remaining points, `left` in ascending order, in all lists that reach to them.

        `reach` is the (M,) largest distance in each list. Lists whose reach is minus infinity stay
        as they are, the others begin anew.
        """
        anew = reach > -np.inf
        self.lengths[anew] = 0
        self._last[anew] = np.iinfo(np.int64).max
        self._reach = reach.copy()
        starts, first = np.unique(left // ROWS * ROWS, return_index=True)
        parts = dict(zip(starts.tolist(), np.split(left, first[1:]), strict=True))

        def block(start: int) -> None:
            # Always whole blocks: the bits of a distance depend on the rows it is computed with.
            found = distances(slice(start, start + ROWS))
            rows = parts[start] - start
            self._add(found if len(rows) == len(found) else found[rows], ranks[parts[start]])

        in_blocks(block, list(parts), threads, f"lists of {len(left)} points")

    def _add(self, distances: Matrix, points: Integers) -> None:
        """Add points, by rank with their (n, M) distances, to all lists that reach to them."""
        tests = len(self.keys)
        hits = np.flatnonzero(distances <= self._reach).astype(np.int32)
        row, test = np.divmod(hits, np.int32(tests))
        by_test = np.argsort(test.astype(np.min_scalar_type(tests)), kind="stable")
        keys = _keys(distances.reshape(-1)[hits[by_test]], points[row[by_test]])
        counts = np.bincount(test, minlength=tests)
        ends = np.cumsum(counts)
        with self._lock:
            full = np.flatnonzero(self.lengths + counts > self._size)
            for i in full.tolist():
                self._cut(i, keys[ends[i] - counts[i] : ends[i]])
            if len(full):
                keys = keys[~np.repeat(np.isin(np.arange(tests), full), counts)]
                counts[full] = 0
                ends = np.cumsum(counts)
            places = np.arange(tests) * self.keys.shape[1] + self.lengths + counts - ends
            self.keys.reshape(-1)[np.repeat(places, counts) + np.arange(len(keys))] = keys
            self.lengths += counts

    def _cut(self, test: int, more: Integers) -> None:
        """Add to a list what does not fit, then keep three quarters of what does."""
        keys = np.concatenate([self.keys[test, : self.lengths[test]], more])
        keep = (3 * self._size + 3) // 4
        keys.partition(keep - 1)
        self.keys[test, :keep] = keys[:keep]
        self.lengths[test] = keep
        self._last[test] = keys[keep - 1]
        self._reach[test] = _distances(keys[keep - 1 : keep])[0]

    def sort(self, threads: int) -> None:
        """Sort the lists, drop what came after a cut's last entry, and mark their ends."""

        def one(test: int) -> None:
            keys = self.keys[test, : self.lengths[test]]
            keys.sort()
            length = np.searchsorted(keys, self._last[test], side="right")
            self.lengths[test] = length
            self.keys[test, length] = self._end

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(len(self.keys))))


def _keys(distances: Matrix, points: Integers) -> Integers:
    """Return integers that sort by distance, then rank; the rank is in the low 32 bits."""
    # Adding zero makes -0 the same as 0.
    bits = _flipped((distances + np.float32(0)).view(np.int32))
    keys: Integers = bits.astype(np.int64) << 32 | points
    return keys


def _distances(keys: Integers) -> Matrix:
    """Return the distances that keys were made of."""
    distances: Matrix = _flipped((keys >> 32).astype(np.int32)).view(np.float32)
    return distances


def _flipped(bits: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    # Floats' bits sort like integers, those of negative ones backwards. Its own inverse.
    flipped: npt.NDArray[np.int32] = bits ^ (bits >> 31 & np.int32(2**31 - 1))
    return flipped
