"""Each query in turn takes its nearest instance that none has taken.

The selection of Ivison et al. (Large-Scale Data Selection for Instruction Tuning, 2025) and of
dcml-lab/targeted-instruction-selection (`selection/round_robin.py`; arXiv 2602.14696).
"""

from typing import Literal

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool, tie_ranks
from nearfirst.arrange.settings import ArrangementSettings, EndField, Need
from nearfirst.arrange.tma import INDEX, Integers, Rounds, rounds_by


class Settings(ArrangementSettings):
    """Each query in turn takes its nearest instance that is left; `farthest` is the reverse."""

    method: Literal["query-round-robin"] = "query-round-robin"
    order: EndField = "nearest"

    def required(self) -> frozenset[Need]:
        """Return that embeddings are needed."""
        return frozenset({"embeddings"})

    def is_seeded(self) -> bool:
        """Return that a seed breaks ties and changes nothing else."""
        return False


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Return the instances in the order in which queries take them, or backwards."""
    shape, ranks = (pool.size, len(pool.test)), tie_ranks(pool.size, seed)
    turns = rounds_by(pool.distances, *shape, threads=pool.threads, ranks=ranks, take=_take_turns)
    order = np.argsort(turns)
    return Arranged(order if settings.order == "nearest" else order[::-1].copy())


def _take_turns(keys: Integers, turns: Rounds, number: int) -> int:
    """Take one point a turn after `number`, as `tma._take_rounds` takes rounds."""
    queries, end = len(keys), len(turns) - 1
    pointers = [0] * queries
    while True:
        query = number % queries
        its, at, width = keys[query], pointers[query], 1
        # The end is never taken; behind it is anything.
        while not (free := turns.take(its[at : at + width] & INDEX, mode="clip") == 0).any():
            at, width = at + width, min(2 * width, 4096)
        at += int(free.argmax())
        if (point := int(its[at] & INDEX)) == end:
            return number
        number += 1
        turns[point] = number
        pointers[query] = at + 1
