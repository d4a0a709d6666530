"""Instances by task, for the methods that look at tasks."""

from collections.abc import Sequence

import numpy as np

from nearfirst.arrange.pool import Pool, Positions


def members(tasks: Sequence[str]) -> list[Positions]:
    """Return the instances of each task, from (N,) names; tasks in order of appearance."""
    rows: dict[str, list[int]] = {task: [] for task in tasks}
    for row, task in enumerate(tasks):
        rows[task].append(row)
    return [np.array(found, dtype=np.int64) for found in rows.values()]


def shuffled_tasks(pool: Pool, seed: int) -> list[Positions]:
    """Return the instances of each task; the seed shuffles the tasks and the instances of each."""
    generator = np.random.default_rng(seed)
    tasks = [generator.permutation(task) for task in members(pool.tasks)]
    return [tasks[i] for i in generator.permutation(len(tasks))]
