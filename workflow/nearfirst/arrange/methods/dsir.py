"""Data Selection with Importance Resampling (DSIR), by hashed n-grams.

Xie, Santurkar, Ma and Liang, NeurIPS 2023 (arXiv 2302.03169), as in the package `data-selection`
1.0.3, with the same words, buckets and smoothing. Short texts are not filtered out.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from nearfirst.arrange.pool import Arranged, Pool, by_distance
from nearfirst.arrange.settings import Need, UnseededSettings
from nearfirst.data.conversation import text_of

BUCKETS = 10_000
SMOOTHING = 1e-8


class Settings(UnseededSettings):
    """Order instances by the log ratio of their n-gram probabilities, queries over pool."""

    needed: ClassVar[frozenset[Need]] = frozenset({"messages", "queries"})

    method: Literal["dsir"] = "dsir"
    resample: bool = Field(
        False,
        description="Add Gumbel noise, as published: the first k are then a sample without "
        "replacement, in proportion to importance. False: the most important come first.",
    )

    def is_seeded(self) -> bool:
        """Return whether noise is drawn."""
        return self.resample


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order instances by the log importance weights of `{instruction} {answer}`."""
    weights = log_importance(map(text_of, pool.messages), map(text_of, pool.queries))
    if settings.resample:
        weights += np.random.default_rng(seed).gumbel(size=len(weights))
    return Arranged(by_distance(-weights, settings.order, seed))


def log_importance(raw: Iterable[str], target: Iterable[str]) -> npt.NDArray[np.float64]:
    """Return the (N,) log importance weights of N raw texts, given target texts.

    A text's weight is the sum over its words and pairs of words, hashed to buckets, of
    log(p_target + 1e-8) − log(p_raw + 1e-8), where p is a bucket's share of the total count.
    """
    raw_buckets = [_bucket_ngrams(text) for text in raw]
    log_ratio = _log_shares([_bucket_ngrams(text) for text in target]) - _log_shares(raw_buckets)
    return np.array([log_ratio[buckets].sum() for buckets in raw_buckets])


def _log_shares(buckets: list[npt.NDArray[np.uint16]]) -> npt.NDArray[np.float64]:
    counts = np.bincount(np.concatenate(buckets), minlength=BUCKETS)
    shares: npt.NDArray[np.float64] = np.log(counts / max(counts.sum(), 1) + SMOOTHING)
    return shares


def _bucket_ngrams(text: str) -> npt.NDArray[np.uint16]:
    """Return the bucket of each word, then of each pair of neighbouring words."""
    words = re.findall(r"\w+|[^\w\s]+", text.lower())
    ngrams = [*words, *map(" ".join, pairwise(words))]
    return np.array([_hash_to_bucket(ngram) for ngram in ngrams], dtype=np.uint16)


@lru_cache(2**20)
def _hash_to_bucket(ngram: str) -> int:
    return int(sha256(ngram.encode("utf-8", "surrogatepass")).hexdigest(), 16) % BUCKETS
