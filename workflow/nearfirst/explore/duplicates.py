"""Duplicates: pairs of a training and a test instance that are the same, or nearly."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from nearfirst.common.progress import bar
from nearfirst.distance.distances import BY_ROWS, ROWS, RowDistances, one_blas_thread
from nearfirst.distance.side import Side
from nearfirst.explore.settings import KINDS, ExplorationSettings
from nearfirst.explore.texts import Exchange, grams, incidence, read_exchanges

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Key = TypeVar("Key")

LISTED = 10_000
"""Pairs listed of each kind, at most; all are counted."""


class Pairs:
    """The pairs of one kind: the best are listed, all are counted in `total`.

    `in_train` (N,) and `in_test` (M,) mark the instances that are in a pair.
    """

    def __init__(self, n_train: int, n_test: int) -> None:
        self._best = np.zeros((5, 0))
        self.total = 0
        self.in_train = np.zeros(n_train, dtype=bool)
        self.in_test = np.zeros(n_test, dtype=bool)

    def add(self, *columns: npt.NDArray[np.generic]) -> None:
        """Add pairs: training row, test row, both similarities, and the sort key."""
        train, test = columns[:2]
        self.total += len(train)
        self.in_train[train] = True
        self.in_test[test] = True
        merged = np.concatenate([self._best, np.stack(columns).astype(np.float64)], axis=1)
        # A stable sort keeps ties in the order of rows.
        self._best = merged[:, np.argsort(-merged[4], kind="stable")[:LISTED]]

    def listed(self) -> list[tuple[int, int, float, float]]:
        """Return the most similar pairs first, then by row.

        Each is a training row, a test row, the Jaccard similarity of n-grams and the cosine.
        """
        return [(int(i), int(j), text, cosine) for i, j, text, cosine, _ in self._best.T.tolist()]


def duplicates_of(
    train: Side, test: Side, train_path: Path, test_path: Path, settings: ExplorationSettings
) -> dict[str, Pairs]:
    """Find the duplicates of two sides, whose texts are read from their instance tables."""
    exchanges = read_exchanges(train_path), list(read_exchanges(test_path))
    distances = BY_ROWS["cosine"](train.embeddings, test.embeddings)
    return find_duplicates(*exchanges, distances, len(train.ids), settings)


def find_duplicates(
    train: Iterable[Exchange],
    test: Sequence[Exchange],
    distances: RowDistances,
    n_train: int,
    settings: ExplorationSettings,
) -> dict[str, Pairs]:
    """Find the duplicates of each kind between N training and M test instances.

    The search is exact. A training text that shares too few n-grams with the whole test set to be
    near-identical to any of its texts is not compared with each of them.

    `distances` gives the −cos of rows of the training points to all test points.
    """
    text_limit, cosine_limit = settings.text_similarity, settings.embedding_similarity
    index = _TextIndex(test, settings)
    pairs = {kind: Pairs(n_train, len(test)) for kind in KINDS}
    exchanges = iter(train)
    with one_blas_thread():
        for start in bar(range(0, n_train, ROWS), "duplicates"):
            block = list(islice(exchanges, ROWS))
            cosine = -distances(slice(start, start + ROWS))
            texts, prompts = index.find_texts(block)
            known_grams, sizes = index.find_grams(block)
            share = np.array([len(known) for known in known_grams]) / np.maximum(sizes, 1)
            rows = np.flatnonzero(
                (prompts >= 0)
                | (texts >= 0)
                | (share >= text_limit)
                | (cosine >= cosine_limit).any(axis=1)
            )
            if not len(rows):
                continue
            cosine = cosine[rows]
            jaccard = index.jaccard([known_grams[row] for row in rows], sizes[rows])
            same_text = texts[rows, None] == index.texts
            same_prompt = prompts[rows, None] == index.prompts
            jaccard[same_text] = 1.0
            matches = [same_text, same_prompt, jaccard >= text_limit, cosine >= cosine_limit]
            kinds = np.select(matches, np.arange(len(KINDS), dtype=np.int8), np.int8(-1))
            for number, (kind, of_kind) in enumerate(pairs.items()):
                i, j = np.nonzero(kinds == number)
                rank = cosine if kind == "near embedding" else jaccard
                of_kind.add(start + rows[i], j, jaccard[i, j], cosine[i, j], rank[i, j])
    return pairs


class _TextIndex:
    """The texts of M test instances, indexed for comparison with training texts."""

    def __init__(self, test: Sequence[Exchange], settings: ExplorationSettings) -> None:
        self._gram_settings = settings.ngram, settings.ngram_of
        self._text_numbers = _number(exchange.text for exchange in test)
        self._prompt_numbers = _number(exchange.prompt for exchange in test)
        self._gram_numbers = _number(
            gram for exchange in test for gram in grams(exchange.text, *self._gram_settings)
        )
        self.texts, self.prompts = self.find_texts(test)
        known_grams, self._sizes = self.find_grams(test)
        self._texts_of_grams = incidence(known_grams, len(self._gram_numbers)).T.tocsr()

    def find_texts(self, exchanges: Sequence[Exchange]) -> tuple[Integers, Integers]:
        """Return the numbers of the texts and of the prompts; −1 if no test instance has it."""
        texts = [self._text_numbers.get(exchange.text, -1) for exchange in exchanges]
        prompts = [self._prompt_numbers.get(exchange.prompt, -1) for exchange in exchanges]
        return np.array(texts, dtype=np.int64), np.array(prompts, dtype=np.int64)

    def find_grams(self, exchanges: Sequence[Exchange]) -> tuple[list[list[int]], Integers]:
        """Return the n-grams that each text shares with the test set, and how many it has."""
        sets = [grams(exchange.text, *self._gram_settings) for exchange in exchanges]
        numbers = self._gram_numbers
        known_grams = [[numbers[gram] for gram in text if gram in numbers] for text in sets]
        return known_grams, np.array([len(text) for text in sets], dtype=np.int64)

    def jaccard(self, known_grams: Sequence[Sequence[int]], sizes: Integers) -> Floats:
        """Return the (k, M) |A ∩ B| / |A ∪ B| of n-grams, 0 where neither text has any."""
        common = incidence(known_grams, len(self._gram_numbers)) @ self._texts_of_grams
        shared: Floats = common.toarray().astype(np.float64)
        union = sizes[:, None] + self._sizes - shared
        return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _number(values: Iterable[Key]) -> dict[Key, int]:
    return {value: number for number, value in enumerate(dict.fromkeys(values))}
