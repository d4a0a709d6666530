"""One instance of each task in turn (Section 3.1)."""

from typing import ClassVar, Literal

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool, shuffled_tasks
from nearfirst.arrange.settings import ArrangementSettings, Need


class Settings(ArrangementSettings):
    """One instance of each task in turn; the seed shuffles tasks and instances as in `cluster`."""

    needed: ClassVar[frozenset[Need]] = frozenset({"tasks"})

    method: Literal["round-robin"] = "round-robin"


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Return one instance of each task in turn, skipping tasks with none left."""
    tasks = shuffled_tasks(pool, seed)
    turn = np.concatenate([np.arange(len(task)) for task in tasks])
    return Arranged(np.concatenate(tasks)[np.argsort(turn, kind="stable")])
