"""Recognise the rows of a pool in the texts that a trainer saw.

A template, a tokenizer, truncation and packing change a text, but not a stretch of letters inside
it. So a row is known by the stretches of `LENGTH` letters that no other row has.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LENGTH = 8
"""Letters of a stretch."""

MOST = 10_000_000
"""Stretches of a pool, about; of a larger one, those are taken whose hash is a multiple."""

Hashes = npt.NDArray[np.uint64]
_POWERS = np.uint64(0x9E3779B97F4A7C15) ** np.arange(LENGTH, dtype=np.uint64)


class Part(NamedTuple):
    """A text of the pool in a sequence, with the stretches at which it begins and ends."""

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
            numbers.setdefault("\0".join(map(_letters, row)), len(numbers)) for row in rows
        ]
        self.every = 1 + sum(map(len, numbers)) // MOST
        self.all = list(numbers)
        found = [self._stretches(text) for text in numbers]
        sizes = [len(hashes) for hashes, _ in found]
        hashes = np.concatenate([hashes for hashes, _ in found])
        places = np.concatenate([places for _, places in found])
        texts = np.repeat(np.arange(len(found), dtype=np.int32), sizes)
        by_hash = np.argsort(hashes, kind="stable")
        hashes, places, texts = hashes[by_hash], places[by_hash], texts[by_hash]
        # Of equal hashes the texts are sorted: the first and the last say whether all are one.
        first = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
        last = np.r_[first[1:], len(hashes)] - 1
        own = first[texts[first] == texts[last]]
        self.hashes, self.places, self.texts = hashes[own], places[own], texts[own]
        self.own = np.bincount(self.texts, minlength=len(numbers))
        """Stretches of each text that no other text has; 0 where it cannot be recognised."""

    def parts(self, seen: str) -> list[Part]:
        """Return the texts in a sequence in order, those that are there in part included.

        A few stretches are an accident: a text must have a quarter of its own there, or make up a
        quarter of the sequence.
        """
        hashes, _ = self._stretches(_letters(seen))
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        hits = at[self.hashes[at] == hashes]
        found, first, counts = np.unique(self.texts[hits], return_index=True, return_counts=True)
        enough = counts >= np.minimum(self.own[found], len(hashes)) / 4
        return [
            Part(text, float(np.median(its)), int(its.max()))
            for text in found[enough][np.argsort(first[enough])].tolist()
            for its in [self.places[hits[self.texts[hits] == text]]]
        ]

    def resembles(self, seen: str, text: int) -> bool:
        """Return whether a quarter of a sequence is in a text, if not in that text alone."""
        hashes, _ = self._stretches(_letters(seen))
        its, _ = self._stretches(self.all[text])
        return bool(np.isin(hashes, its).sum() > len(hashes) / 4)

    def _stretches(self, text: str) -> tuple[Hashes, npt.NDArray[np.int32]]:
        """Return the hashes of a text's stretches, and where they begin."""
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        if len(codes) < LENGTH:
            return np.empty(0, np.uint64), np.empty(0, np.int32)
        hashes = np.lib.stride_tricks.sliding_window_view(codes, LENGTH) @ _POWERS
        within = np.lib.stride_tricks.sliding_window_view(codes, LENGTH).all(axis=1)
        taken = np.flatnonzero(within & ((hashes >> np.uint64(32)) % np.uint64(self.every) == 0))
        return hashes[taken], taken.astype(np.int32)


def _letters(text: str) -> str:
    """Return a text without what tokenizers change: spaces, capitals, forms of a letter."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).replace("\0", "")
