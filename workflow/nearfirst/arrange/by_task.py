"""Arrangements that look at tasks at most (Sections 3.1 and B.1)."""

from collections.abc import Sequence

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool, Positions
from nearfirst.arrange.settings import ArrangementSettings


def random(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Return a seeded shuffle (RT)."""
    return Arranged(np.random.default_rng(seed).permutation(pool.size))


def cluster(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Return task after task; the seed shuffles the tasks and the instances of each."""
    return Arranged(np.concatenate(_shuffled_tasks(pool, seed)))


def round_robin(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Return one instance of each task in turn; the seed shuffles as in `cluster`.

    Every turn takes the tasks in the same order, without those that have no instance left.
    """
    tasks = _shuffled_tasks(pool, seed)
    turn = np.concatenate([np.arange(len(task)) for task in tasks])
    return Arranged(np.concatenate(tasks)[np.argsort(turn, kind="stable")])


def members(tasks: Sequence[str]) -> list[Positions]:
    """Return the instances of each task, given each instance's; tasks in order of appearance."""
    rows: dict[str, list[int]] = {task: [] for task in tasks}
    for row, task in enumerate(tasks):
        rows[task].append(row)
    return [np.array(found, dtype=np.int64) for found in rows.values()]


def shuffled(tasks: Sequence[Positions], generator: np.random.Generator) -> list[Positions]:
    """Return each task's instances shuffled, the tasks as they are."""
    return [generator.permutation(task) for task in tasks]


def _shuffled_tasks(pool: Pool, seed: int) -> list[Positions]:
    generator = np.random.default_rng(seed)
    tasks = shuffled(members(pool.tasks), generator)
    return [tasks[i] for i in generator.permutation(len(tasks))]
