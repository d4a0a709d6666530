"""How often a reward model prefers the chosen answer."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


def accuracy_table(pairs: pd.DataFrame, margins: npt.NDArray[np.floating[Any]]) -> pd.DataFrame:
    """Measure how often the chosen answer has the higher reward, with Wilson's 95 % intervals.

    `pairs` has n rows of `PREFERENCES`, `margins` their (n,) r_chosen − r_rejected; a tie counts
    half.

    Returns
    -------
    Columns split (training, held-out), group (all, a data set or a corruption), accuracy, low,
    high, n. The intervals treat pairs of one task as independent, which is not quite true.
    """
    won = (np.sign(margins.astype(np.float64)) + 1) / 2
    held_out = pairs["held_out"].to_numpy(bool)
    rows = []
    for split, is_in_split in (("training", ~held_out), ("held-out", held_out)):
        groups = {"all": is_in_split}
        for column in ("dataset", "corruption"):
            for name in sorted(pairs[column].unique()):
                groups[name] = is_in_split & (pairs[column] == name).to_numpy()
        for group, mask in groups.items():
            if n := int(mask.sum()):
                share = float(won[mask].mean())
                rows.append((split, group, share, *wilson(share, n), n))
    return pd.DataFrame(rows, columns=["split", "group", "accuracy", "low", "high", "n"])


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval for a proportion of n."""
    z = 1.959963984540054  # the 97.5 % quantile of the standard normal distribution
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
