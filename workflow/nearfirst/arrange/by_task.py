"""Shuffled tasks."""

import numpy as np

from nearfirst.arrange.pool import Pool, Positions
from nearfirst.common.by_task import rows_by_task


def shuffled_tasks(pool: Pool, seed: int) -> list[Positions]:
    """Return the instances of each task, with the tasks and their instances shuffled."""
    generator = np.random.default_rng(seed)
    tasks = [generator.permutation(task) for task in rows_by_task(pool.tasks).values()]
    return [tasks[i] for i in generator.permutation(len(tasks))]
