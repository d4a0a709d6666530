"""Recognize the rows of a pool in the texts that a trainer saw.

Templates, tokenizers, truncation and packing change a text, but not the letters inside it. So a row
is identified by its character n-grams that no other row has.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

LENGTH = 8
"""Letters in an n-gram."""

MAX_NGRAMS = 10_000_000
"""Approximate number of n-grams kept: a larger pool is subsampled by hash."""

Hashes = npt.NDArray[np.uint64]
_POWERS = np.uint64(0x9E3779B97F4A7C15) ** np.arange(LENGTH, dtype=np.uint64)


class Part(NamedTuple):
    """A text of the pool in a sequence: the median and last positions in the text that occur."""

    text: int
    middle: float
    end: int


class Texts:
    """The texts of a pool; rows with the same text have the same number in `of_row`.

    Parameters
    ----------
    rows
        The messages of each row.
    """

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        numbers: dict[str, int] = {}
        self.of_row = [
            numbers.setdefault("\0".join(map(_normalize, row)), len(numbers)) for row in rows
        ]
        self.every = 1 + sum(map(len, numbers)) // MAX_NGRAMS
        self.all = list(numbers)
        ngrams = [self._hash_ngrams(text) for text in numbers]
        hashes = np.concatenate([hashes for hashes, _ in ngrams])
        positions = np.concatenate([positions for _, positions in ngrams])
        sizes = [len(hashes) for hashes, _ in ngrams]
        texts = np.repeat(np.arange(len(ngrams), dtype=np.int32), sizes)
        by_hash = np.argsort(hashes, kind="stable")
        hashes, positions, texts = hashes[by_hash], positions[by_hash], texts[by_hash]
        # Equal hashes are sorted by text, so a hash is unique if its first and last text agree.
        first = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
        last = np.r_[first[1:], len(hashes)] - 1
        unique = first[texts[first] == texts[last]]
        self.hashes, self.positions, self.texts = hashes[unique], positions[unique], texts[unique]
        self.num_unique = np.bincount(self.texts, minlength=len(numbers))
        """N-grams of each text that no other text has; 0 if the text cannot be recognized."""

    def parts(self, sequence: str) -> list[Part]:
        """Return the texts in a sequence in order, including texts that are only partly there.

        A few matches may be accidental: they must make up at least a quarter of the text's unique
        n-grams or a quarter of the sequence's.
        """
        hashes, _ = self._hash_ngrams(_normalize(sequence))
        indices = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        hits = indices[self.hashes[indices] == hashes]
        texts, first, counts = np.unique(self.texts[hits], return_index=True, return_counts=True)
        is_there = counts >= np.minimum(self.num_unique[texts], len(hashes)) / 4
        parts = []
        for text in texts[is_there][np.argsort(first[is_there])].tolist():
            positions = self.positions[hits[self.texts[hits] == text]]
            parts.append(Part(text, float(np.median(positions)), int(positions.max())))
        return parts

    def resembles(self, sequence: str, text: int) -> bool:
        """Return whether a text has a quarter of a sequence's n-grams, unique or not."""
        hashes, _ = self._hash_ngrams(_normalize(sequence))
        text_hashes, _ = self._hash_ngrams(self.all[text])
        return bool(np.isin(hashes, text_hashes).sum() > len(hashes) / 4)

    def _hash_ngrams(self, text: str) -> tuple[Hashes, npt.NDArray[np.int32]]:
        """Return the hashes and positions of a text's n-grams."""
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        if len(codes) < LENGTH:
            return np.empty(0, np.uint64), np.empty(0, np.int32)
        ngrams = sliding_window_view(codes, LENGTH)
        hashes = ngrams @ _POWERS
        # Messages are joined by zeros, and no n-gram crosses one.
        is_kept = ngrams.all(axis=1) & ((hashes >> np.uint64(32)) % np.uint64(self.every) == 0)
        kept = np.flatnonzero(is_kept)
        return hashes[kept], kept.astype(np.int32)


def _normalize(text: str) -> str:
    """Return a text without what tokenizers change: spaces, capitals, forms of a letter."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).replace("\0", "")
