"""Pairs of a training and a test instance that are the same, or nearly."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from threadpoolctl import threadpool_limits

from nearfirst.distance.distances import ROWS, RowDistances
from nearfirst.explore.texts import Exchange, Gram, Unit, grams

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KINDS = ("identical text", "identical prompt", "near-identical text", "near embedding")
"""What makes a pair, the strongest first: a pair is of the first kind that holds."""

_NONE = len(KINDS)


class Pairs(NamedTuple):
    """The pairs of one kind, those with the highest similarity first, then by row.

    Attributes
    ----------
    train, test
        (P,) rows of the pairs that are listed.
    texts
        (P,) Jaccard similarity of their n-grams, 0 to 1.
    embeddings
        (P,) cosine of their embeddings.
    total
        Pairs of this kind, listed or not.
    in_train, in_test
        (N,) and (M,) which instances are in a pair of this kind, listed or not.
    """

    train: Integers
    test: Integers
    texts: Floats
    embeddings: Floats
    total: int
    in_train: npt.NDArray[np.bool_]
    in_test: npt.NDArray[np.bool_]


class TextIndex:
    """The texts of M test instances, ready to be compared with those of training instances."""

    def __init__(self, exchanges: Sequence[Exchange], n: int, unit: Unit) -> None:
        self._n, self._unit = n, unit
        self._texts: dict[str, int] = {}
        self._prompts: dict[str, int] = {}
        self._grams: dict[Gram, int] = {}
        self.texts = _numbers([one.text for one in exchanges], self._texts)
        self.prompts = _numbers([one.prompt for one in exchanges], self._prompts)
        sets = [grams(one.text, n, unit) for one in exchanges]
        self.sizes = np.array([len(its) for its in sets], dtype=np.int64)
        flat = [gram for its in sets for gram in its]
        columns = _numbers(flat, self._grams)
        tests = np.repeat(np.arange(len(sets)), self.sizes)
        shape = (len(self._grams), len(sets))
        ones = np.ones(len(flat), dtype=np.int32)
        self._holds = sparse.csr_array((ones, (columns, tests)), shape=shape)

    def same(self, exchanges: Sequence[Exchange]) -> tuple[Integers, Integers]:
        """Return the numbers of the texts and prompts of n exchanges, −1 for those of no test."""
        texts = [self._texts.get(one.text, -1) for one in exchanges]
        prompts = [self._prompts.get(one.prompt, -1) for one in exchanges]
        return np.array(texts, dtype=np.int64), np.array(prompts, dtype=np.int64)

    def known(self, exchanges: Sequence[Exchange]) -> tuple[list[list[int]], Integers]:
        """Return which n-grams of the test set n texts hold, and how many n-grams each has."""
        rows, sizes = [], []
        for one in exchanges:
            its = grams(one.text, self._n, self._unit)
            rows.append([self._grams[gram] for gram in its if gram in self._grams])
            sizes.append(len(its))
        return rows, np.array(sizes, dtype=np.int64)

    def jaccard(self, rows: Sequence[Sequence[int]], sizes: Integers) -> Floats:
        """Return |A ∩ B| / |A ∪ B| of the n-grams of k texts, as `known` gives them, and each test.

        Returns
        -------
        (k, M), 0 where neither has any.
        """
        bounds = np.cumsum([0, *map(len, rows)])
        columns = np.array([number for its in rows for number in its], dtype=np.int64)
        ones = np.ones(len(columns), dtype=np.int32)
        holds = sparse.csr_array((ones, columns, bounds), shape=(len(rows), self._holds.shape[0]))
        shared = np.asarray((holds @ self._holds).toarray(), dtype=np.float64)
        union = sizes[:, None] + self.sizes - shared
        return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def duplicates(
    blocks: Iterable[Sequence[Exchange]],
    test: TextIndex,
    cosines: RowDistances,
    points: int,
    *,
    text_similarity: float,
    embedding_similarity: float,
    listed: int,
) -> dict[str, Pairs]:
    """Find the pairs of N training and M test instances that are the same, or nearly.

    Nothing is guessed: every pair is looked at. What shares too few n-grams with the whole test set
    to be nearly one of its texts is not compared with each of them.

    Parameters
    ----------
    blocks
        The exchanges of the training instances, `ROWS` at a time.
    test
        The texts of the test instances.
    cosines
        Gives the −cos of some of the training points and all test points.
    points
        N.
    text_similarity, embedding_similarity
        Jaccard similarity and cosine from which a pair counts.
    listed
        Most pairs of each kind that are kept.

    Returns
    -------
    The pairs of each kind.
    """
    tests = len(test.sizes)
    found = [_Found(points, tests, listed) for _ in KINDS]
    with threadpool_limits(1, user_api="blas"):
        for number, exchanges in enumerate(blocks):
            start = number * ROWS
            cosine = -cosines(slice(start, start + ROWS))
            texts, prompts = test.same(exchanges)
            grams_, sizes = test.known(exchanges)
            share = np.array([len(its) for its in grams_]) / np.maximum(sizes, 1)
            rows = np.flatnonzero(
                (prompts >= 0)
                | (texts >= 0)
                | (share >= text_similarity)
                | (cosine >= embedding_similarity).any(axis=1)
            )
            if not len(rows):
                continue
            cosine = cosine[rows]
            alike = test.jaccard([grams_[row] for row in rows], sizes[rows])
            same = texts[rows, None] == test.texts
            alike[same] = 1.0
            kinds = np.select(
                [
                    same,
                    prompts[rows, None] == test.prompts,
                    alike >= text_similarity,
                    cosine >= embedding_similarity,
                ],
                [np.int8(kind) for kind in range(_NONE)],
                default=np.int8(_NONE),
            )
            for kind, its in enumerate(found):
                i, j = np.nonzero(kinds == kind)
                if len(i):
                    rank = cosine if kind == _NONE - 1 else alike
                    its.add(start + rows[i], j, alike[i, j], cosine[i, j], rank[i, j])
    return {kind: its.pairs() for kind, its in zip(KINDS, found, strict=True)}


class _Found:
    """The pairs of one kind so far, no more of them than are listed."""

    def __init__(self, points: int, tests: int, listed: int) -> None:
        self._listed = listed
        self._best = np.zeros((5, 0))
        self._total = 0
        self._in_train = np.zeros(points, dtype=bool)
        self._in_test = np.zeros(tests, dtype=bool)

    def add(self, *columns: npt.NDArray[np.generic]) -> None:
        """Add pairs, as training row, test row, both similarities, and what they are sorted by."""
        train, test = columns[:2]
        self._total += len(train)
        self._in_train[train] = True
        self._in_test[test] = True
        both = np.concatenate([self._best, np.stack(columns).astype(np.float64)], axis=1)
        # Stable: pairs come by row.
        self._best = both[:, np.argsort(-both[4], kind="stable")[: self._listed]]

    def pairs(self) -> Pairs:
        train, test, texts, embeddings, _ = self._best
        rows = train.astype(np.int64), test.astype(np.int64)
        return Pairs(*rows, texts, embeddings, self._total, self._in_train, self._in_test)


def _numbers(values: Sequence[Gram], known: dict[Gram, int] | dict[str, int]) -> Integers:
    """Return the numbers of hashable values, from 0 by first appearance; `known` learns them."""
    numbers = (known.setdefault(value, len(known)) for value in values)  # type: ignore[arg-type]
    return np.fromiter(numbers, dtype=np.int64, count=len(values))
