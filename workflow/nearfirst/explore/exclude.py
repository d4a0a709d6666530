"""Which training instances are left out: those of the test set (decontamination) and repeats."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from nearfirst.common.progress import bar
from nearfirst.distance.distances import ROWS, Matrix, unit
from nearfirst.explore.texts import Exchange, Unit, grams

Side = Literal["test", "train"]
Hashes = npt.NDArray[np.uint64]

_COUNTERS = 2**22


class Reason(NamedTuple):
    """Why an instance is left out: of the kinds of `explore`, the strongest that fits."""

    kind: str
    of: Side
    row: int
    """The instance of that side, from 0, that is most like it, of several the first."""
    similarity: float
    """1 for identical texts, Jaccard's of n-grams, or the cosine."""


Excluded = dict[int, Reason]
"""Rows of training instances, and why they are left out."""


def by_text(
    train: Callable[[], Iterable[Exchange]],
    test: Sequence[Exchange],
    points: int,
    *,
    exact: bool,
    near: float | None,
    n: int,
    of: Unit,
) -> Excluded:
    """Find the training texts that are those of a test instance or of an earlier training one.

    An earlier one counts only if it stays itself, so that of a group of repeats the first stays.
    The search is exact: two sets of n-grams with a Jaccard similarity of `near` or more share one
    of the rarest few of either, and all that share one of these are compared.

    Parameters
    ----------
    train
        Begins the N = `points` training instances anew; near texts take two passes.
    exact, near
        Whether identical texts count, and the Jaccard similarity from which near ones do, if any.
    n, of
        n-grams of what, as of `grams`.
    """
    found: Excluded = {}
    texts: dict[bytes, tuple[Side, int]] = {}
    index = None
    if near is not None:
        counts = np.zeros(_COUNTERS, dtype=np.int64)
        for one in (*test, *bar(train(), "n-grams", points)):
            np.add.at(counts, _hashes(one.text, n, of) % _COUNTERS, 1)
        index = _Index(near, counts)
    for row, one in enumerate(test):
        texts.setdefault(_digest(one.text), ("test", row))
        if index:
            index.add("test", row, _hashes(one.text, n, of))
    for row, one in enumerate(bar(train(), "repeated texts", points)):
        text = _digest(one.text)
        if exact and text in texts:
            found[row] = Reason("identical text", *texts[text], 1.0)
            continue
        if index:
            its = _hashes(one.text, n, of)
            if reason := index.nearest(its):
                found[row] = reason
                continue
            index.add("train", row, its)
        texts[text] = "train", row
    return found


class _Index:
    """Sets of n-grams, found by the rarest of their members."""

    def __init__(self, limit: float, counts: npt.NDArray[np.int64]) -> None:
        self._limit, self._counts = limit, counts
        self._sets: list[Hashes] = []
        self._names: list[tuple[Side, int]] = []
        self._holds: dict[int, list[int]] = defaultdict(list)

    def add(self, of: Side, row: int, its: Hashes) -> None:
        for gram in self._rarest(its):
            self._holds[gram].append(len(self._sets))
        self._sets.append(its)
        self._names.append((of, row))

    def nearest(self, its: Hashes) -> Reason | None:
        """Return the set that is most like these n-grams, a test instance's before others."""
        best: tuple[bool, float, int] | None = None
        near = {number for gram in self._rarest(its) for number in self._holds.get(gram, ())}
        for number in near:
            other = self._sets[number]
            shared = len(np.intersect1d(its, other, assume_unique=True))
            alike = shared / (len(its) + len(other) - shared)
            if alike >= self._limit:
                key = self._names[number][0] == "test", alike, -number
                best = max(best, key) if best else key
        if best is None:
            return None
        return Reason("near-identical text", *self._names[-best[2]], best[1])

    def _rarest(self, its: Hashes) -> list[int]:
        # What is as near as the limit shares at least so many, so the others are one too few.
        others = math.ceil(self._limit * len(its) - 1e-9) - 1
        order = np.lexsort((its, self._counts[its % _COUNTERS]))
        rarest: list[int] = its[order[: len(its) - others]].tolist()
        return rarest if len(its) else []


def by_embedding(
    train: Matrix, test: Matrix, limit: float, excluded: Excluded, threads: int = 2
) -> Excluded:
    """Find the training points as near to a test point, or to an earlier one that stays, as limit.

    Every pair of points is compared, N² / 2 and N · M cosines, in blocks.

    Parameters
    ----------
    train, test
        (N, d) and (M, d) float32.
    limit
        Cosine from which two points are near.
    excluded
        Points that are left out already: nothing is near to them.
    """
    own, other = unit(train), unit(test)
    out = np.zeros(len(own), dtype=bool)
    out[list(excluded)] = True
    found: Excluded = {}

    def leave_out(row: int, of: Side, at: int, cosine: float) -> None:
        out[row] = True
        found[row] = Reason("near embedding", of, at, min(float(cosine), 1.0))

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        starts = range(0, len(own), ROWS)
        for start in bar(starts, "near embeddings", len(starts)):
            block = own[start : start + ROWS]

            def best(
                at: int, of: Matrix, gone: npt.NDArray[np.bool_] | None, block: Matrix = block
            ) -> tuple[npt.NDArray[np.int64], Matrix]:
                cosines = block @ of[at : at + ROWS].T
                if gone is not None:
                    cosines[:, gone[at : at + ROWS]] = -np.inf
                nearest = cosines.argmax(axis=1)
                return at + nearest, cosines[np.arange(len(block)), nearest]

            # A test point counts before a training point, whichever is nearer.
            sides: list[tuple[Side, Matrix, npt.NDArray[np.bool_] | None, range]] = [
                ("test", other, None, range(0, len(other), ROWS)),
                ("train", own, out, range(0, start, ROWS)),
            ]
            for of, points, gone, parts in sides:
                its = list(pool.map(lambda at, p=points, g=gone: best(at, p, g), parts))
                if not its:
                    continue
                cosines = np.stack([part[1] for part in its])
                nearest = cosines.argmax(axis=0)
                for i in np.flatnonzero(cosines.max(axis=0) >= limit).tolist():
                    if not out[start + i]:
                        part = nearest[i]
                        leave_out(start + i, of, int(its[part][0][i]), cosines[part, i])
            cosines = block @ block.T
            near = np.tril(cosines >= limit, -1)
            for i in np.flatnonzero(near.any(axis=1)).tolist():
                before = np.flatnonzero(near[i] & ~out[start : start + len(block)])
                if len(before) and not out[start + i]:
                    j = int(before[cosines[i, before].argmax()])
                    leave_out(start + i, "train", start + j, cosines[i, j])
    return found


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _hashes(text: str, n: int, of: Unit) -> Hashes:
    """Return the different n-grams of a text as numbers, ascending."""
    its = (
        blake2b("\0".join(gram).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for gram in grams(text, n, of)
    )
    return np.sort(np.frombuffer(b"".join(its), dtype=np.uint64))
