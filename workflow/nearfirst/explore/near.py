"""Which distance counts as near."""

from threading import Lock
from typing import NamedTuple

import numpy as np

from nearfirst.distance.distances import BY_ROWS, ROWS, in_blocks, shown
from nearfirst.distance.side import Side
from nearfirst.explore.settings import ExplorationSettings


class Near(NamedTuple):
    """Which distance counts as near."""

    distance: float
    """The largest one, −cos for cosine; NaN if the pool has no two points to take it from."""
    basis: str
    """`given`, or what it was taken from: training points of `other tasks`, or `other instances`.
    """
    sample: int
    """Number of training points it was taken from."""
    own: tuple[float, ...] = ()
    """Their distances."""


def nearness(
    train: Side, test: Side, measure: str, settings: ExplorationSettings, threads: int = 2
) -> Near:
    """Return which distance counts as near: as the settings say, or by distances within the pool.

    A held-out test task is to the pool what one training task is to the others, so the distances
    are those of training points to their nearest one of another task. Where test tasks are training
    tasks too, or the pool is a single task, they are those to the nearest other point.
    """
    if settings.near is not None:
        return Near(settings.near - float(shown(measure, 0)), "given", 0)
    points, names = len(train.ids), {name: i for i, name in enumerate(dict.fromkeys(train.tasks))}
    by_task = len(names) > 1 and names.keys().isdisjoint(test.tasks)
    basis = "other tasks" if by_task else "other instances"
    groups = np.array([names[task] for task in train.tasks]) if by_task else np.arange(points)
    sample = np.arange(points)
    if points > settings.near_sample:
        generator = np.random.default_rng(settings.seed)
        sample = np.sort(generator.choice(sample, settings.near_sample, replace=False))
    distances = BY_ROWS[measure](train.embeddings, train.embeddings[sample])
    found = np.full(len(sample), np.inf, dtype=np.float32)
    lock = Lock()

    def block(start: int) -> None:
        between = distances(slice(start, start + ROWS))
        own = groups[start : start + ROWS, None] == groups[sample]
        nearest = np.where(own, np.float32(np.inf), between).min(axis=0)
        with lock:
            np.minimum(found, nearest, out=found)

    in_blocks(block, range(0, points, ROWS), threads, "distances within the pool")
    found = found[np.isfinite(found)]
    if not len(found):
        return Near(float("nan"), basis, 0)
    # One of the distances themselves, so that equal ones stay near.
    distance = np.quantile(found, settings.near_quantile, method="higher")
    return Near(float(distance), basis, len(found), tuple(found.tolist()))
