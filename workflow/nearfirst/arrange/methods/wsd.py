"""Weighted Similarity Distance of instances or whole tasks (Eq. 1, Section 3.2)."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from nearfirst.arrange.pool import Arranged, Pool, by_distance
from nearfirst.arrange.settings import Need, UnseededSettings
from nearfirst.common.by_task import rows_by_task
from nearfirst.common.errors import InputError
from nearfirst.distance.distances import BY_ROWS, Matrix


class Settings(UnseededSettings):
    """Order instances, or whole tasks, by their Weighted Similarity Distance."""

    method: Literal["wsd"] = "wsd"
    granularity: Literal["instance", "task"] = Field(
        "instance", description="Order instances, or whole tasks by their mean embedding."
    )

    def required(self) -> frozenset[Need]:
        """Return what the method reads: embeddings, and tasks to order whole tasks."""
        return frozenset({"embeddings", "tasks"} if self.granularity == "task" else {"embeddings"})

    def is_seeded(self) -> bool:
        """Return whether anything is shuffled."""
        return self.granularity == "task"


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order instances, or whole tasks, by their Weighted Similarity Distance.

    A task is the mean of its instances' embeddings (Section 3.2.2); the seed shuffles its
    instances. Raises InputError as `weighted_distances`.
    """
    if settings.granularity == "instance":
        return Arranged(by_distance(weighted_distances(pool), settings.order, seed))
    tasks = list(rows_by_task(pool.tasks).values())
    means = np.array(
        [pool.train[rows].mean(axis=0, dtype=np.float64) for rows in tasks], dtype=np.float32
    )
    distances = BY_ROWS[pool.measure](means, pool.test)
    task_pool = replace(pool, size=len(means), train=means, distances=distances)
    generator = np.random.default_rng(seed)
    tasks = [generator.permutation(task) for task in tasks]
    order = by_distance(weighted_distances(task_pool), settings.order, seed)
    return Arranged(np.concatenate([tasks[i] for i in order]))


def weighted_distances(pool: Pool) -> npt.NDArray[np.float64]:
    """Return WSD_i = AD_i + w · MD_i for each of the N training points (Eq. 1).

    AD and MD are a point's average and minimum distance to the test points; w = mean(AD) / mean(MD)
    scales MD to the magnitude of AD (as in Eq. 14). Raises InputError if w is not positive and
    finite: with a negative w, the nearer its nearest test point, the farther a point would count.
    """
    average, minimum = np.empty(pool.size), np.empty(pool.size)

    def summarize(rows: slice, distances: Matrix) -> None:
        average[rows] = distances.mean(axis=1, dtype=np.float64)
        minimum[rows] = distances.min(axis=1)

    pool.each_block(summarize)
    means = average.mean(), minimum.mean()
    if not (np.isfinite(means).all() and means[0] * means[1] > 0):
        raise InputError(
            f"wsd: the average distances have the mean {means[0]:.6g}, the minimum distances "
            f"{means[1]:.6g}; their ratio is the weight of the minimum, and one that is not "
            "positive and finite inverts the order or destroys it; use another test set or "
            "encoder, or the method tma"
        )
    weighted: npt.NDArray[np.float64] = average + means[0] / means[1] * minimum
    return weighted
