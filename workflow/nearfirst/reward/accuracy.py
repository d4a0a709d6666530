"""How often a reward model prefers the chosen answer."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


def accuracy_table(pairs: pd.DataFrame, margins: npt.NDArray[np.floating[Any]]) -> pd.DataFrame:
    """Measure how often the chosen answer has the higher reward.

    `pairs` has n rows of `PREFERENCES`, `margins` their (n,) r_chosen − r_rejected; a tie counts
    half.

    Returns
    -------
    Columns split (training, held-out), group (all, a data set or a corruption), accuracy, n.
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
                rows.append((split, group, float(won[mask].mean()), n))
    return pd.DataFrame(rows, columns=["split", "group", "accuracy", "n"])
