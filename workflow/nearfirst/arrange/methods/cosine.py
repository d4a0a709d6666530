"""By the cosine to the nearest query, or the mean cosine to all queries."""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from nearfirst.arrange.pool import Arranged, Pool, by_distance
from nearfirst.arrange.settings import ArrangementSettings, EndField, Need
from nearfirst.distance.distances import BY_ROWS, Matrix


class Settings(ArrangementSettings):
    """Order instances by their smallest or their mean cosine distance to the queries."""

    method: Literal["cosine"] = "cosine"
    order: EndField = "nearest"
    reduce: Literal["min", "mean"] = Field(
        "min",
        description="Distance of an instance: to its nearest query, or the mean over all queries.",
    )

    def required(self) -> frozenset[Need]:
        """Return that embeddings are needed."""
        return frozenset({"embeddings"})

    def is_seeded(self) -> bool:
        """Return that a seed breaks ties and changes nothing else."""
        return False


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order by −cos (Eq. 8), whatever the measure of other methods is."""
    if pool.measure != "cosine":
        pool = replace(pool, distances=BY_ROWS["cosine"](pool.train, pool.test))
    found = np.empty(pool.size)

    def reduce(rows: slice, distances: Matrix) -> None:
        if settings.reduce == "min":
            found[rows] = distances.min(axis=1)
        else:
            found[rows] = distances.mean(axis=1, dtype=np.float64)

    pool.each_block(reduce)
    return Arranged(by_distance(found, settings.order, seed))
