"""Training instances to exclude: those also in the test set (decontamination), and repeats."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.common.progress import bar
from nearfirst.distance.distances import ROWS, Matrix, one_blas_thread, to_unit_length
from nearfirst.explore.texts import Exchange, Unit, grams, incidence

Side = Literal["test", "train"]
Hashes = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

Pairs = tuple[Integers, Integers, Floats]
"""Row in a block of training instances, row in a slice of a side, and similarity of each near pair,
sorted by row."""

FindPairs = Callable[[int, Side, slice], Pairs]
"""Takes the first row of a block of `ROWS` training instances, a side, and a slice of that side."""

_COUNTERS = 2**23
_COLUMNS = 2**20
_COMPARED = 2**22
"""N-grams in the pairs of texts that are compared at once."""
_CHUNK = 2**12
"""Texts whose rare n-grams are looked up at once."""


class Reason(NamedTuple):
    """Why an instance is excluded: its most similar counterpart, the first of several."""

    kind: str
    side: Side
    row: int
    """Row of the counterpart on that side, from 0."""
    similarity: float
    """1 for identical texts, else the Jaccard similarity of n-grams or the cosine."""


Excluded = dict[int, Reason]
"""Reason for each excluded training row."""


def exclude_by_text(
    train: Iterable[Exchange],
    test: Sequence[Exchange],
    n_train: int,
    *,
    exact: bool,
    near: float | None,
    n: int,
    unit: Unit,
    threads: int = 2,
) -> Excluded:
    """Find training texts that repeat a test text or an earlier training text.

    Excluded instances do not exclude others, so the first of a group of repeats stays. The search
    is exact: see `_GramSets`.

    Parameters
    ----------
    exact
        Exclude identical texts.
    near
        Jaccard similarity of n-grams from which to exclude near-identical texts; None: do not.
    n, unit
        Size and unit of the n-grams, as in `grams`.
    """
    digests, sets = [], []
    for exchange in bar(chain(test, train), "n-grams", len(test) + n_train):
        if exact:
            digests.append(_digest(exchange.text))
        if near is not None:
            sets.append(_hash_grams(exchange.text, n, unit))
    first_rows: dict[bytes, tuple[Side, int]] = {}
    for row, digest in enumerate(digests[: len(test)]):
        first_rows.setdefault(digest, ("test", row))

    def find_identical(row: int, is_excluded: Mask) -> Reason | None:
        digest = digests[len(test) + row]
        first = first_rows.get(digest)
        if first and (first[0] == "test" or not is_excluded[first[1]]):
            return Reason("identical text", *first, 1.0)
        first_rows[digest] = "train", row
        return None

    sides: dict[Side, _GramSets] = {}
    if near is not None:
        counts = np.bincount(_last_bits(np.concatenate(sets), _COUNTERS), minlength=_COUNTERS)
        sides["test"] = _GramSets(sets[: len(test)], counts, near)
        sides["train"] = _GramSets(sets[len(test) :], counts, near)

    def find_pairs(start: int, side: Side, rows: slice) -> Pairs:
        if near is None:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        return sides["train"].find_pairs(start, sides[side], rows)

    sizes = len(test), n_train
    identical = find_identical if exact else None
    return _search("near-identical text", sizes, find_pairs, _CHUNK, {}, threads, identical)


def exclude_by_embedding(
    train: Matrix, test: Matrix, limit: float, excluded: Excluded, threads: int = 2
) -> Excluded:
    """Find training points near a test point or near an earlier training point that stays.

    Points are near from the cosine `limit` on. Of N training and M test points, all N² / 2 + N · M
    cosines are computed, in blocks. Points that are already `excluded` do not exclude others.
    """
    sides = {"train": to_unit_length(train), "test": to_unit_length(test)}

    @lru_cache(maxsize=1)  # each block is compared with every chunk before the next one is read
    def normalize_block(start: int) -> Matrix:
        return sides["train"](slice(start, start + ROWS))

    def find_pairs(start: int, side: Side, rows: slice) -> Pairs:
        cosines = normalize_block(start) @ sides[side](rows).T
        i, j = np.nonzero(cosines >= limit)
        return i, j, np.minimum(cosines[i, j], 1)

    sizes = len(test), len(train)
    return _search("near embedding", sizes, find_pairs, ROWS, excluded, threads)


def _search(
    kind: str,
    sizes: tuple[int, int],
    find_pairs: FindPairs,
    chunk: int,
    excluded: Excluded,
    threads: int,
    find_identical: Callable[[int, Mask], Reason | None] | None = None,
) -> Excluded:
    """Find the training rows to exclude, one block of `ROWS` at a time.

    `sizes` are the numbers of test and training instances. `find_pairs` is called with slices of at
    most `chunk` rows, `find_identical` with a row and the mask of excluded rows.
    """
    n_test, n_train = sizes
    is_excluded = np.zeros(n_train, dtype=bool)
    is_excluded[list(excluded)] = True
    result: Excluded = {}
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        for start in bar(range(0, n_train, ROWS), kind, -(-n_train // ROWS)):
            ends: dict[Side, int] = {"test": n_test, "train": start}
            chunks = [
                (side, slice(first, min(first + chunk, end)))
                for side, end in ends.items()
                for first in range(0, end, chunk)
            ]

            def find_nearest(
                side_and_rows: tuple[Side, slice], start: int = start
            ) -> list[tuple[int, Reason]]:
                side, rows = side_and_rows
                i, j, similarity = find_pairs(start, side, rows)
                if side == "train":
                    stays = ~is_excluded[rows][j]
                    i, j, similarity = i[stays], j[stays], similarity[stays]
                order = np.lexsort((j, -similarity, i))
                first = order[np.unique(i[order], return_index=True)[1]]
                pairs = zip(*(part[first].tolist() for part in (i, j, similarity)), strict=True)
                return [(i, Reason(kind, side, rows.start + j, value)) for i, j, value in pairs]

            nearest: dict[int, Reason] = {}
            for row, reason in chain.from_iterable(pool.map(find_nearest, chunks)):
                nearest[row] = max(nearest.get(row, reason), reason, key=_strength)
            size = min(ROWS, n_train - start)
            i, j, similarity = find_pairs(start, "train", slice(start, start + size))
            bounds = np.searchsorted(i, np.arange(size + 1))
            for row in np.flatnonzero(~is_excluded[start : start + size]).tolist():
                reasons = [find_identical(start + row, is_excluded)] if find_identical else []
                reasons.append(nearest.get(row))
                near = np.arange(bounds[row], bounds[row + 1])
                near = near[(j[near] < row) & ~is_excluded[start + j[near]]]
                if len(near):
                    best = near[similarity[near].argmax()]
                    value = float(similarity[best])
                    reasons.append(Reason(kind, "train", start + int(j[best]), value))
                if strongest := max(filter(None, reasons), key=_strength, default=None):
                    result[start + row] = strongest
                    is_excluded[start + row] = True
    return result


class _GramSets:
    """Sets of n-grams as rows of hashes, the rarest n-grams first.

    Two sets with a Jaccard similarity of `limit` or more share at least ⌈limit · size⌉ members, for
    either size. So they share a rare one: a member among all but the ⌈limit · size⌉ − 1 most
    frequent of each set. The number of shared rare members bounds the overlap, and only pairs whose
    bound is high enough are compared (Xiao et al., Efficient similarity joins for near-duplicate
    detection, ACM Transactions on Database Systems 36, 2011).
    """

    def __init__(self, sets: Sequence[Hashes], counts: Integers, limit: float) -> None:
        """Take the hashes of each set, and how often hashes with the same last bits occur."""
        self._limit = limit
        self._sizes = np.array([len(hashes) for hashes in sets], dtype=np.int64)
        self._min_overlap = np.ceil(limit * self._sizes - 1e-9).astype(np.int64)
        rows, rare_rows = [], []
        for hashes, min_overlap in zip(sets, self._min_overlap.tolist(), strict=True):
            # Sort by the logarithm of the count, then by the hash.
            rarity = np.log2(counts[_last_bits(hashes, _COUNTERS)]).astype(np.uint64)
            keys = np.sort(rarity << np.uint64(58) | hashes >> np.uint64(6))
            rows.append(keys)
            rare = keys[: len(keys) - min_overlap + 1]
            # An n-gram that occurs once is in no other set.
            rare_rows.append(_last_bits(rare[rare >= 2**58], _COLUMNS))
        self._rows = incidence(rows, 2**63 - 1)
        self._rare = incidence(rare_rows, _COLUMNS)
        self._transpose_block = lru_cache(maxsize=1)(
            lambda start: self._rare[start : start + ROWS].T.tocsr()
        )

    def find_pairs(self, start: int, other: "_GramSets", rows: slice) -> Pairs:
        """Compare the block that begins at `start` with some rows of other sets."""
        common = (other._rare[rows] @ self._transpose_block(start)).tocoo()
        i, j = common.col + np.int64(start), common.row + np.int64(rows.start)
        sizes = self._sizes[i] + other._sizes[j]
        upper_bound = common.data - 1 + np.maximum(self._min_overlap[i], other._min_overlap[j])
        is_candidate = upper_bound >= sizes * (self._limit / (1 + self._limit)) - 1e-9
        i, j, sizes = i[is_candidate], j[is_candidate], sizes[is_candidate]
        overlap = np.empty(len(i), dtype=np.int64)
        for part in np.array_split(np.arange(len(i)), 1 + sizes.sum() // _COMPARED):
            shared = self._rows[i[part]].multiply(other._rows[j[part]])
            overlap[part] = np.diff(shared.indptr)
        similarity = overlap / (sizes - overlap)
        near = np.flatnonzero(similarity >= self._limit)
        near = near[np.lexsort((j[near], i[near]))]
        return i[near] - start, j[near] - rows.start, similarity[near]


def _strength(reason: Reason) -> tuple[bool, bool, float]:
    """Sort key: identical text comes first, then test instances, then higher similarity."""
    return reason.kind == "identical text", reason.side == "test", reason.similarity


def _digest(text: str, size: int = 16) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def _hash_grams(text: str, n: int, unit: Unit) -> Hashes:
    digests = (_digest("\0".join(gram), 8) for gram in grams(text, n, unit))
    return np.frombuffer(b"".join(digests), dtype=np.uint64)


def _last_bits(hashes: Hashes, count: int) -> Integers:
    """Return the hashes modulo a power of two."""
    return (hashes & np.uint64(count - 1)).astype(np.int64)
