"""Test-centric Multi-turn Arrangement (Algorithm 1), exact, without sorting all distances.

Every test point keeps a list of its nearest remaining training points, nearest first. A round takes
the heads of all lists; then each list moves on, past the points already taken. When a list runs
dry, one pass over the distances builds new lists from the remaining points.

A list is always a prefix of the remaining points sorted by (distance, rank). Its length does not
change the rounds, only the number of passes.
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

# The root logger's own functions would configure logging in any program that imports this.
LOG = logging.getLogger(__name__)

Integers = npt.NDArray[np.int64]
Rounds = npt.NDArray[np.int32]

MAX_ENTRIES = 2**27
"""Maximum number of entries in all lists together, 8 bytes each."""

POINTS_PER_ENTRY = 8
"""In a large pool a list holds at most one in 8 points: more cost more than another pass."""

SAMPLE_SIZE = 2**24
"""Distances sampled before a pass to guess how far a list of the wanted length reaches."""

RANK_MASK = 2**32 - 1
"""The bits of a key that hold the rank."""


def rounds_by(
    distances: RowDistances,
    points: int,
    tests: int,
    *,
    threads: int = 2,
    max_entries: int = MAX_ENTRIES,
    sample_size: int = SAMPLE_SIZE,
    ranks: Integers | None = None,
    take: Callable[[Integers, Rounds, int], int] | None = None,
) -> Rounds:
    """Return the round of every training point by Test-centric Multi-turn Arrangement.

    Algorithm 1: while training points remain, a round is the set of the points that are the
    nearest remaining one to at least one test point; they leave the pool together. Ties go to the
    lowest rank. Raises InputError if a distance is not a number.

    Parameters
    ----------
    distances
        Gives the distances of selected training points to all test points.
    points, tests
        N training points and M test points.
    threads, max_entries, sample_size
        CPU threads, and other values for the constants. They do not change the rounds.
    ranks
        (N,) permutation of 0 to N - 1 that breaks ties; the training points' indices by default.
    take
        Another rule than Algorithm 1, with the signature of `_take_rounds`.

    Returns
    -------
    (N,) rounds from 1, int32.
    """
    ranks = np.arange(points) if ranks is None else ranks
    # By rank. The last entry marks the end of a list: a point that is never taken.
    rounds = np.zeros(points + 1, dtype=np.int32)
    max_length = min(points, max(1, max_entries // tests), max(ROWS, points // POINTS_PER_ENTRY))
    lists = _Lists(tests, max_length, end=points)
    generator = np.random.default_rng(0)
    number = 0
    start, passes = time.monotonic(), 0
    while len(remaining := np.flatnonzero(rounds[ranks] == 0)):
        sample = remaining
        if len(remaining) > (max_sample := max(1, sample_size // tests)):
            sample = np.sort(generator.choice(remaining, max_sample, replace=False))
        blocks = np.array_split(sample, -(-len(sample) // ROWS))
        reach = lists.guess_reach(np.concatenate(list(map(distances, blocks))), len(remaining))
        while True:
            lists.fill(distances, remaining, ranks, reach, threads)
            if (filled := lists.lengths > 0).all():
                break
            # Rounding can exclude even the nearest point of a sample.
            if np.isposinf(reach[~filled]).any():
                raise InputError("a distance is not a number; compute the distances again")
            reach = np.where(filled, -np.inf, np.inf).astype(np.float32)
        lists.sort(threads)
        number = (take or _take_rounds)(lists.keys, rounds, number)
        passes += 1
        taken = np.count_nonzero(rounds[:-1])
        seconds = time.monotonic() - start
        LOG.info(
            "pass %d: %d rounds, %d of %d points taken (%.0f points/s), %.0f s left",
            *(passes, number, taken, points, taken / seconds, seconds / taken * (points - taken)),
        )
    return rounds[ranks]


def _take_rounds(keys: Integers, rounds: Rounds, number: int) -> int:
    """Take rounds after `number` until a list runs dry; return the number of the last.

    `keys` are (M, K + 1) sorted lists, ended by the last index of `rounds`. `rounds` is (N + 1,),
    0 for each remaining point, and is updated in place.
    """
    flat, end = keys.reshape(-1), len(rounds) - 1
    heads = np.arange(0, keys.size, keys.shape[1])
    every_list = np.arange(len(keys))
    while (ranks := flat[heads] & RANK_MASK).max() < end:
        number += 1
        rounds[ranks] = number
        heads += 1
        behind, width = every_list, 4
        while len(behind):
            # The end marker is never taken, so whatever lies after it is not reached.
            ahead = flat.take(heads[behind, None] + np.arange(width), mode="clip") & RANK_MASK
            remains = rounds.take(ahead, mode="clip") == 0
            step = remains.argmax(axis=1)
            arrived = remains[np.arange(len(behind)), step]
            heads[behind] += np.where(arrived, step, width)
            behind, width = behind[~arrived], min(2 * width, 256)
    return number


class _Lists:
    """The nearest remaining training points of each of M test points, at most K per list.

    An entry is one integer that sorts by distance, then rank.

    Attributes
    ----------
    keys
        (M, K + 1) int64: each list, and after `sort` the end marker behind it.
    lengths
        (M,) number of entries in each list.
    """

    def __init__(self, tests: int, max_length: int, end: int) -> None:
        self.keys = np.empty((tests, max_length + 1), dtype=np.int64)
        self.lengths = np.zeros(tests, dtype=np.int64)
        self._max_length = max_length
        self._end = end
        self._reach = np.empty(tests, dtype=np.float32)
        # A truncated list is complete up to this key.
        self._last = np.empty(tests, dtype=np.int64)
        self._lock = Lock()

    def guess_reach(self, sample: Matrix, num_remaining: int) -> Matrix:
        """Return (M,) distances up to which the lists should not grow too long.

        `sample` holds the (n, M) distances of n remaining points, drawn at random.
        """
        if num_remaining <= self._max_length:
            return np.full(len(self.keys), np.inf, dtype=np.float32)
        index = int(0.9 * self._max_length / num_remaining * len(sample))
        reach: Matrix = np.partition(sample.T, index, axis=1)[:, index]
        return reach

    def fill(
        self,
        distances: RowDistances,
        remaining: Integers,
        ranks: Integers,
        reach: Matrix,
        threads: int,
    ) -> None:
        """Add the remaining points, in ascending order, to all lists that reach them.

        `reach` is the (M,) largest distance in each list. A list with a reach of minus infinity
        stays as it is; the others start afresh.
        """
        restarted = reach > -np.inf
        self.lengths[restarted] = 0
        self._last[restarted] = np.iinfo(np.int64).max
        self._reach = reach.copy()
        starts, first = np.unique(remaining // ROWS * ROWS, return_index=True)
        rows_of_block = dict(zip(starts.tolist(), np.split(remaining, first[1:]), strict=True))

        def add_block(start: int) -> None:
            # Always whole blocks: the bits of a distance depend on the rows it is computed with.
            block = distances(slice(start, start + ROWS))
            rows = rows_of_block[start]
            self._add(block if len(rows) == len(block) else block[rows - start], ranks[rows])

        in_blocks(add_block, list(rows_of_block), threads, f"lists of {len(remaining)} points")

    def _add(self, distances: Matrix, ranks: Integers) -> None:
        """Add n points with their (n, M) distances to all lists that reach them."""
        tests = len(self.keys)
        hits = np.flatnonzero(distances <= self._reach).astype(np.int32)
        row, test = np.divmod(hits, np.int32(tests))
        by_test = np.argsort(test.astype(np.min_scalar_type(tests)), kind="stable")
        keys = _encode_keys(distances.reshape(-1)[hits[by_test]], ranks[row[by_test]])
        counts = np.bincount(test, minlength=tests)
        ends = np.cumsum(counts)
        with self._lock:
            full = np.flatnonzero(self.lengths + counts > self._max_length)
            for i in full.tolist():
                self._truncate(i, keys[ends[i] - counts[i] : ends[i]])
            if len(full):
                keys = keys[~np.repeat(np.isin(np.arange(tests), full), counts)]
                counts[full] = 0
                ends = np.cumsum(counts)
            offsets = np.arange(tests) * self.keys.shape[1] + self.lengths + counts - ends
            self.keys.reshape(-1)[np.repeat(offsets, counts) + np.arange(len(keys))] = keys
            self.lengths += counts

    def _truncate(self, test: int, new_keys: Integers) -> None:
        """Add keys that do not fit to a list, then keep three quarters of the maximum length."""
        keys = np.concatenate([self.keys[test, : self.lengths[test]], new_keys])
        keep = (3 * self._max_length + 3) // 4
        keys.partition(keep - 1)
        self.keys[test, :keep] = keys[:keep]
        self.lengths[test] = keep
        self._last[test] = keys[keep - 1]
        self._reach[test] = _decode_distances(keys[keep - 1 : keep])[0]

    def sort(self, threads: int) -> None:
        """Sort the lists, drop entries beyond a truncated list's last key, and mark the ends."""

        def sort_list(test: int) -> None:
            keys = self.keys[test, : self.lengths[test]]
            keys.sort()
            length = np.searchsorted(keys, self._last[test], side="right")
            self.lengths[test] = length
            self.keys[test, length] = self._end

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(sort_list, range(len(self.keys))))


def _encode_keys(distances: Matrix, ranks: Integers) -> Integers:
    """Return integers that sort by distance, then rank; the rank is in the low 32 bits."""
    # Adding zero turns -0 into 0.
    bits = _flip_negative((distances + np.float32(0)).view(np.int32))
    keys: Integers = bits.astype(np.int64) << 32 | ranks
    return keys


def _decode_distances(keys: Integers) -> Matrix:
    distances: Matrix = _flip_negative((keys >> 32).astype(np.int32)).view(np.float32)
    return distances


def _flip_negative(bits: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    # The bits of floats sort like integers, those of negative floats backwards. Its own inverse.
    flipped: npt.NDArray[np.int32] = bits ^ (bits >> 31 & np.int32(2**31 - 1))
    return flipped
