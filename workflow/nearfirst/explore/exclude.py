"""Which training instances are left out: those of the test set (decontamination) and repeats."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from threadpoolctl import threadpool_limits

from nearfirst.common.progress import bar
from nearfirst.distance.distances import ROWS, Matrix, at_length_one
from nearfirst.explore.texts import Exchange, Unit, grams

Side = Literal["test", "train"]
Hashes = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

Pairs = tuple[Integers, Integers, Floats]
"""Rows of a block of training instances, rows of other instances, each from the first of its own,
and how alike they are: the pairs from the limit on, sorted."""

Compare = Callable[[int, Side, slice], Pairs]
"""Takes the first row of a block, and a side with some of its rows."""

_COUNTERS = 2**23
_COLUMNS = 2**20
_NONE: Pairs = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
_COMPARED = 2**22
"""N-grams of the pairs of texts that are compared at once."""
_CHUNK = 2**12
"""Texts whose rare n-grams are looked up at once."""


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
    train: Iterable[Exchange],
    test: Sequence[Exchange],
    points: int,
    *,
    exact: bool,
    near: float | None,
    n: int,
    of: Unit,
    threads: int = 2,
) -> Excluded:
    """Find the training texts that are those of a test instance or of an earlier training one.

    An earlier one counts only if it stays itself, so that of a group of repeats the first stays.
    The search is exact: see `_GramSets`.

    Parameters
    ----------
    train
        The N = `points` training instances.
    exact, near
        Whether identical texts count, and the Jaccard similarity from which near ones do, if any.
    n, of
        n-grams of what, as of `grams`.
    """
    digests, sets = [], []
    for one in bar(chain(test, train), "n-grams", len(test) + points):
        if exact:
            digests.append(_digest(one.text))
        if near is not None:
            sets.append(_hashes(one.text, n, of))
    texts: dict[bytes, tuple[Side, int]] = {}
    for row, digest in enumerate(digests[: len(test)]):
        texts.setdefault(digest, ("test", row))

    def identical(row: int, gone: Flags) -> Reason | None:
        digest = digests[len(test) + row]
        before = texts.get(digest)
        if before and (before[0] == "test" or not gone[before[1]]):
            return Reason("identical text", *before, 1.0)
        texts[digest] = "train", row
        return None

    sides: dict[Side, _GramSets] = {}
    if near is not None:
        counts = np.bincount(_last_bits(np.concatenate(sets), _COUNTERS), minlength=_COUNTERS)
        sides["test"] = _GramSets(sets[: len(test)], counts, near)
        sides["train"] = _GramSets(sets[len(test) :], counts, near)

    def compare(start: int, of: Side, rows: slice) -> Pairs:
        return sides["train"].pairs(start, sides[of], rows) if sides else _NONE

    sizes = len(test), points
    first = identical if exact else None
    return _search("near-identical text", sizes, compare, _CHUNK, {}, threads, first)


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
    sides = {"train": at_length_one(train), "test": at_length_one(test)}

    @lru_cache(maxsize=1)  # one block after the other is compared with all before it
    def block(start: int) -> Matrix:
        return sides["train"](slice(start, start + ROWS))

    def compare(start: int, of: Side, rows: slice) -> Pairs:
        cosines = block(start) @ sides[of](rows).T
        i, j = np.nonzero(cosines >= limit)
        return i, j, np.minimum(cosines[i, j], 1)

    sizes = len(test), len(train)
    return _search("near embedding", sizes, compare, ROWS, excluded, threads)


def _search(
    kind: str,
    sizes: tuple[int, int],
    compare: Compare,
    chunk: int,
    excluded: Excluded,
    threads: int,
    identical: Callable[[int, Flags], Reason | None] | None = None,
) -> Excluded:
    """Return who is left out of the pool, block by block of `ROWS` instances.

    Parameters
    ----------
    sizes
        M test and N training instances.
    compare, chunk
        What finds near pairs, if anything, and how many other rows it takes at once.
    identical
        Says first whether a row repeats another; takes the (N,) flags of those that are out.
    """
    gone = np.zeros(sizes[1], dtype=bool)
    gone[list(excluded)] = True
    found: Excluded = {}
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for start in bar(range(0, sizes[1], ROWS), kind, -(-sizes[1] // ROWS)):
            ends: dict[Side, int] = {"test": sizes[0], "train": start}
            others = [
                (of, slice(at, min(at + chunk, end)))
                for of, end in ends.items()
                for at in range(0, end, chunk)
            ]

            def nearest(other: tuple[Side, slice], to: int = start) -> list[tuple[int, Reason]]:
                of, rows = other
                i, j, alike = compare(to, of, rows)
                stays = ~gone[rows][j] if of == "train" else np.ones(len(j), dtype=bool)
                i, j, alike = i[stays], j[stays], alike[stays]
                order = np.lexsort((j, -alike, i))
                first = order[np.unique(i[order], return_index=True)[1]]
                found = zip(*(part[first].tolist() for part in (i, j, alike)), strict=True)
                return [(i, Reason(kind, of, rows.start + j, alike)) for i, j, alike in found]

            best: dict[int, Reason] = {}
            for its in pool.map(nearest, others):
                for row, reason in its:
                    known = best.setdefault(row, reason)
                    if known.of == reason.of and reason.similarity > known.similarity:
                        best[row] = reason
            size = min(ROWS, sizes[1] - start)
            i, j, alike = compare(start, "train", slice(start, start + size))
            bounds = np.searchsorted(i, np.arange(size + 1))
            for row in np.flatnonzero(~gone[start : start + size]).tolist():
                why = identical(start + row, gone) if identical else None
                why = why or best.get(row)
                if why is None or (why.of == "train" and why.kind == kind):
                    near = np.arange(bounds[row], bounds[row + 1])
                    near = near[(j[near] < row) & ~gone[start + j[near]]]
                    if len(near) and alike[near].max() > (why.similarity if why else 0):
                        at = near[alike[near].argmax()]
                        why = Reason(kind, "train", start + int(j[at]), float(alike[at]))
                if why:
                    found[start + row] = why
                    gone[start + row] = True
    return found


class _GramSets:
    """Sets of n-grams as rows of numbers, those of the rarest n-grams first.

    Two sets with a Jaccard similarity of `limit` or more share ⌈limit · size⌉ members of either, so
    the rarest of each, all but one fewer, have one in common. Of the set that is the first to run
    out of rare ones, the others bound what is shared beyond these. Only pairs whose bound is high
    enough are compared (Xiao et al., Efficient similarity joins for near-duplicate detection, ACM
    Transactions on Database Systems 36, 2011).
    """

    def __init__(self, sets: Sequence[Hashes], counts: Integers, limit: float) -> None:
        """Take the (n,) hashes of each set, and how often those with equal last bits occur."""
        self._limit = limit
        self._sizes = np.array([len(its) for its in sets], dtype=np.int64)
        self._needed = np.ceil(limit * self._sizes - 1e-9).astype(np.int64)
        rows, rare = [], []
        for its, needed in zip(sets, self._needed.tolist(), strict=True):
            # Sorts by rarity, in powers of two, then by the hash.
            rarity = np.log2(counts[_last_bits(its, _COUNTERS)]).astype(np.uint64)
            its = np.sort(rarity << np.uint64(58) | its >> np.uint64(6))
            rows.append(its)
            its = its[: len(its) - needed + 1]
            # What occurs once is in no other set.
            rare.append(_last_bits(its[its >= 2**58], _COLUMNS))
        self._rows = _incidence(rows, 2**63 - 1)
        self._rare = _incidence(rare, _COLUMNS)
        self._turned: tuple[int, Any] = -1, None

    def pairs(self, start: int, other: "_GramSets", rows: slice) -> Pairs:
        """Compare the block that begins at `start` with rows of other sets."""
        at, turned = self._turned
        if at != start:
            turned = self._rare[start : start + ROWS].T.tocsr()
            self._turned = start, turned
        common = (other._rare[rows] @ turned).tocoo()
        i, j = common.col + np.int64(start), common.row + np.int64(rows.start)
        sizes = self._sizes[i] + other._sizes[j]
        most = common.data - 1 + np.maximum(self._needed[i], other._needed[j])
        fits = most >= sizes * (self._limit / (1 + self._limit)) - 1e-9
        i, j, sizes = i[fits], j[fits], sizes[fits]
        shared = np.empty(len(i), dtype=np.int64)
        for part in np.array_split(np.arange(len(i)), 1 + sizes.sum() // _COMPARED):
            both = self._rows[i[part]].multiply(other._rows[j[part]])
            shared[part] = np.diff(both.indptr)
        alike = shared / (sizes - shared)
        near = np.flatnonzero(alike >= self._limit)
        near = near[np.lexsort((j[near], i[near]))]
        return i[near] - start, j[near] - rows.start, alike[near]


def _incidence(rows: Sequence[npt.NDArray[Any]], columns: int) -> Any:
    """Return the sparse matrix with ones where the rows say."""
    bounds = np.cumsum([0, *map(len, rows)])
    places = np.concatenate([np.empty(0, np.int64), *(its.astype(np.int64) for its in rows)])
    ones = np.ones(len(places), dtype=np.int32)
    return sparse.csr_array((ones, places, bounds), shape=(len(rows), columns))


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _hashes(text: str, n: int, of: Unit) -> Hashes:
    """Return the different n-grams of a text as numbers."""
    its = (
        blake2b("\0".join(gram).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for gram in grams(text, n, of)
    )
    return np.frombuffer(b"".join(its), dtype=np.uint64)


def _last_bits(hashes: Hashes, count: int) -> Integers:
    """Return the hashes modulo a power of two."""
    return (hashes & np.uint64(count - 1)).astype(np.int64)
