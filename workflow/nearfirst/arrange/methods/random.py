"""A seeded shuffle (RT)."""

from typing import Literal

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool
from nearfirst.arrange.settings import ArrangementSettings


class Settings(ArrangementSettings):
    """Shuffle the instances."""

    method: Literal["random"] = "random"


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Return the shuffled instances."""
    return Arranged(np.random.default_rng(seed).permutation(pool.size))
