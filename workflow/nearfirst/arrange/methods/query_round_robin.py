"""Each query in turn takes its nearest instance that is left.

The selection of Ivison et al. (Large-Scale Data Selection for Instruction Tuning, 2025) and of
dcml-lab/targeted-instruction-selection (`selection/round_robin.py`; arXiv 2602.14696).
"""

from typing import ClassVar, Literal

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool, tie_ranks
from nearfirst.arrange.settings import Need, UnseededSettings
from nearfirst.arrange.tma import RANK_MASK, Integers, Rounds, rounds_by


class Settings(UnseededSettings):
    """Each query in turn takes its nearest instance that is left; `farthest` is the reverse."""

    needed: ClassVar[frozenset[Need]] = frozenset({"embeddings"})

    method: Literal["query-round-robin"] = "query-round-robin"


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Return the instances in the order in which queries take them, or the reverse."""
    shape, ranks = (pool.size, len(pool.test)), tie_ranks(pool.size, seed)
    turns = rounds_by(pool.distances, *shape, threads=pool.threads, ranks=ranks, take=_take_turns)
    order = np.argsort(turns)
    return Arranged(order if settings.order == "nearest" else order[::-1].copy())


def _take_turns(keys: Integers, turns: Rounds, number: int) -> int:
    """Take one point per turn after `number`; otherwise like `tma._take_rounds`."""
    queries, end = len(keys), len(turns) - 1
    heads = [0] * queries
    while True:
        query = number % queries
        keys_of_query, head, width = keys[query], heads[query], 1
        # The end marker is never taken, so whatever lies after it is not reached.
        while True:
            ahead = keys_of_query[head : head + width] & RANK_MASK
            if (is_free := turns.take(ahead, mode="clip") == 0).any():
                break
            head, width = head + width, min(2 * width, 4096)
        step = int(is_free.argmax())
        if (rank := int(ahead[step])) == end:
            return number
        number += 1
        turns[rank] = number
        heads[query] = head + step + 1
