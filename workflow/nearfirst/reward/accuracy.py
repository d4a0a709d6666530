"""How often a reward model prefers the chosen answer."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

NORMAL_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def accuracy_table(pairs: pd.DataFrame, margins: npt.NDArray[np.floating[Any]]) -> pd.DataFrame:
    """Return how often the chosen answer has the higher reward, with 95 % intervals.

    Parameters
    ----------
    pairs
        n rows of `PREFERENCES`.
    margins
        (n,) r_chosen − r_rejected.

    Returns
    -------
    Columns split (training, held-out), group (all, a data set or a corruption), accuracy, low,
    high, n. A tie counts half. The interval is Wilson's; it takes pairs as independent, and those
    of one task are not quite.
    """
    won = (np.sign(margins.astype(np.float64)) + 1) / 2
    held_out = pairs["held_out"].to_numpy(bool)
    rows = []
    for split, of_split in (("training", ~held_out), ("held-out", held_out)):
        groups = {"all": of_split}
        for column in ("dataset", "corruption"):
            for name in sorted(pairs[column].unique()):
                groups[name] = of_split & (pairs[column] == name).to_numpy()
        for group, where in groups.items():
            n = int(where.sum())
            if n:
                share = float(won[where].mean())
                low, high = wilson(share, n)
                values = {"accuracy": share, "low": low, "high": high, "n": n}
                rows.append({"split": split, "group": group, **values})
    return pd.DataFrame(rows)


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share of n."""
    z = NORMAL_95
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)
