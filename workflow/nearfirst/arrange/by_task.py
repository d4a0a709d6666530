"""Instances grouped by task."""

from collections.abc import Sequence

import numpy as np

from nearfirst.arrange.pool import Pool, Positions


def rows_by_task(tasks: Sequence[str]) -> list[Positions]:
    """Return the instances of each task, from (N,) names; tasks in order of appearance."""
    rows: dict[str, list[int]] = {}
    for row, task in enumerate(tasks):
        rows.setdefault(task, []).append(row)
    return list(map(np.array, rows.values()))


def shuffled_tasks(pool: Pool, seed: int) -> list[Positions]:
    """Return the instances of each task, with the tasks and their instances shuffled."""
    generator = np.random.default_rng(seed)
    tasks = [generator.permutation(task) for task in rows_by_task(pool.tasks)]
    return [tasks[i] for i in generator.permutation(len(tasks))]
