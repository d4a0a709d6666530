"""Instances grouped by task."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def rows_by_task(tasks: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the rows of each task, from (N,) names; tasks in order of appearance."""
    rows: dict[str, list[int]] = {}
    for row, task in enumerate(tasks):
        rows.setdefault(task, []).append(row)
    return {task: np.array(numbers) for task, numbers in rows.items()}
