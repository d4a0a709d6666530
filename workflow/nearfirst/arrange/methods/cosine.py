"""Order by the cosine to the nearest query, or the mean cosine to all queries."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nearfirst.arrange.pool import Arranged, Pool, by_distance
from nearfirst.arrange.settings import Need, UnseededSettings
from nearfirst.distance.distances import BY_ROWS, Matrix


class Settings(UnseededSettings):
    """Order instances by their minimum or mean cosine distance to the queries."""

    needed: ClassVar[frozenset[Need]] = frozenset({"embeddings"})

    method: Literal["cosine"] = "cosine"
    reduce: Literal["min", "mean"] = Field(
        "min",
        description="Distance of an instance: to its nearest query, or the mean over all queries.",
    )


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order by −cos (Eq. 8), even if `pool.measure` is another."""
    if pool.measure != "cosine":
        pool = replace(pool, distances=BY_ROWS["cosine"](pool.train, pool.test))
    reduced = np.empty(pool.size)

    def reduce(rows: slice, distances: Matrix) -> None:
        if settings.reduce == "min":
            reduced[rows] = distances.min(axis=1)
        else:
            reduced[rows] = distances.mean(axis=1, dtype=np.float64)

    pool.each_block(reduce)
    return Arranged(by_distance(reduced, settings.order, seed))
