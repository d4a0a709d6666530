"""Duplicates: pairs of a training and a test instance that are the same, or nearly."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from threadpoolctl import threadpool_limits

from nearfirst.common.progress import bar
from nearfirst.distance.distances import BY_ROWS, ROWS, RowDistances
from nearfirst.distance.side import Side
from nearfirst.explore.settings import KINDS, ExplorationSettings
from nearfirst.explore.texts import Exchange, grams, read_exchanges

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Key = TypeVar("Key")


class Pairs(NamedTuple):
    """The pairs of one kind, those with the highest similarity first, then by row.

    Listed are the (P,) rows `train` and `test`, the Jaccard similarity of their `texts` (n-grams, 0
    to 1) and the cosine of their `embeddings`. `total` counts all pairs, and (N,) `in_train` and
    (M,) `in_test` say which instances are in one.
    """

    train: Integers
    test: Integers
    texts: Floats
    embeddings: Floats
    total: int
    in_train: npt.NDArray[np.bool_]
    in_test: npt.NDArray[np.bool_]


def duplicates_of(
    train: Side, test: Side, train_texts: Path, test_texts: Path, settings: ExplorationSettings
) -> dict[str, Pairs]:
    """Return the `duplicates` of two sides, whose texts are read from their instances."""
    exchanges = [one for block in read_exchanges(test_texts) for one in block]
    cosines = BY_ROWS["cosine"](train.embeddings, test.embeddings)
    return duplicates(read_exchanges(train_texts), exchanges, cosines, len(train.ids), settings)


def duplicates(
    train: Iterable[Sequence[Exchange]],
    test: Sequence[Exchange],
    cosines: RowDistances,
    points: int,
    settings: ExplorationSettings,
) -> dict[str, Pairs]:
    """Return the duplicates of each kind between N training and M test instances.

    The search is exact. A training text that shares too few n-grams with the whole test set to be
    near-identical to one of its texts is not compared with each of them.

    Parameters
    ----------
    train, test, points
        The training instances, `ROWS` at a time, the test instances, and N.
    cosines
        Gives the −cos of some of the training points to all test points.
    settings
        What counts as a duplicate, and how many pairs of each kind to list.
    """
    text_limit, cosine_limit = settings.text_similarity, settings.embedding_similarity
    index = _TextIndex(test, settings)
    found = [_Found(points, len(test), settings.listed) for _ in KINDS]
    with threadpool_limits(1, user_api="blas"):
        for number, block in enumerate(bar(train, "duplicates", -(-points // ROWS))):
            start = number * ROWS
            cosine = -cosines(slice(start, start + ROWS))
            texts, prompts = index.numbers(block)
            known, sizes = index.known(block)
            share = np.array([len(its) for its in known]) / np.maximum(sizes, 1)
            rows = np.flatnonzero(
                (prompts >= 0)
                | (texts >= 0)
                | (share >= text_limit)
                | (cosine >= cosine_limit).any(axis=1)
            )
            if not len(rows):
                continue
            cosine = cosine[rows]
            alike = index.jaccard([known[row] for row in rows], sizes[rows])
            same_text = texts[rows, None] == index.texts
            same_prompt = prompts[rows, None] == index.prompts
            alike[same_text] = 1.0
            fits = [same_text, same_prompt, alike >= text_limit, cosine >= cosine_limit]
            kinds = np.select(fits, np.arange(len(KINDS), dtype=np.int8), np.int8(-1))
            for kind, its in enumerate(found):
                i, j = np.nonzero(kinds == kind)
                rank = cosine if KINDS[kind] == "near embedding" else alike
                its.add(start + rows[i], j, alike[i, j], cosine[i, j], rank[i, j])
    return {kind: its.pairs() for kind, its in zip(KINDS, found, strict=True)}


class _TextIndex:
    """The texts of M test instances, ready to be compared with those of training instances."""

    def __init__(self, test: Sequence[Exchange], settings: ExplorationSettings) -> None:
        self._of = settings.ngram, settings.ngram_of
        self._texts = _numbered(one.text for one in test)
        self._prompts = _numbered(one.prompt for one in test)
        self._grams = _numbered(gram for one in test for gram in grams(one.text, *self._of))
        self.texts, self.prompts = self.numbers(test)
        known, self._sizes = self.known(test)
        self._holds = self._incidence(known).T.tocsr()

    def numbers(self, exchanges: Sequence[Exchange]) -> tuple[Integers, Integers]:
        """Return the numbers of the texts and prompts of n exchanges, −1 for those of no test."""
        texts = [self._texts.get(one.text, -1) for one in exchanges]
        prompts = [self._prompts.get(one.prompt, -1) for one in exchanges]
        return np.array(texts, dtype=np.int64), np.array(prompts, dtype=np.int64)

    def known(self, exchanges: Sequence[Exchange]) -> tuple[list[list[int]], Integers]:
        """Return the n-grams that n texts share with the test set, and each text's total."""
        sets = [grams(one.text, *self._of) for one in exchanges]
        known = [[self._grams[gram] for gram in its if gram in self._grams] for its in sets]
        return known, np.array([len(its) for its in sets], dtype=np.int64)

    def jaccard(self, known: Sequence[Sequence[int]], sizes: Integers) -> Floats:
        """Return the (k, M) |A ∩ B| / |A ∪ B| of n-grams, 0 where neither text has any."""
        shared: Floats = (self._incidence(known) @ self._holds).toarray().astype(np.float64)
        union = sizes[:, None] + self._sizes - shared
        return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)

    def _incidence(self, known: Sequence[Sequence[int]]) -> Any:
        columns = np.array([number for its in known for number in its], dtype=np.int64)
        ones, bounds = np.ones(len(columns), dtype=np.int32), np.cumsum([0, *map(len, known)])
        return sparse.csr_array((ones, columns, bounds), shape=(len(known), len(self._grams)))


class _Found:
    """The pairs of one kind so far; of those to list, only the best are kept."""

    def __init__(self, points: int, tests: int, listed: int) -> None:
        self._listed = listed
        self._best = np.zeros((5, 0))
        self._total = 0
        self._in_train = np.zeros(points, dtype=bool)
        self._in_test = np.zeros(tests, dtype=bool)

    def add(self, *columns: npt.NDArray[np.generic]) -> None:
        """Add pairs, as training row, test row, both similarities, and the key to sort by."""
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


def _numbered(values: Iterable[Key]) -> dict[Key, int]:
    return {value: number for number, value in enumerate(dict.fromkeys(values))}
