"""One task after another (Section 3.1)."""

from typing import ClassVar, Literal

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool, shuffled_tasks
from nearfirst.arrange.settings import ArrangementSettings, Need


class Settings(ArrangementSettings):
    """One task after another; the seed shuffles the tasks and the instances of each."""

    needed: ClassVar[frozenset[Need]] = frozenset({"tasks"})

    method: Literal["cluster"] = "cluster"


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Return the instances of one task after another."""
    return Arranged(np.concatenate(shuffled_tasks(pool, seed)))
