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
    won = pairs.assign(all="all", won=(np.sign(margins.astype(np.float64)) + 1) / 2)
    parts = []
    for split, held_out in (("training", False), ("held-out", True)):
        for column in ("all", "dataset", "corruption"):
            groups = won[won["held_out"] == held_out].groupby(column)["won"]
            table = groups.agg(accuracy="mean", n="size").rename_axis("group").reset_index()
            table.insert(0, "split", split)
            parts.append(table)
    return pd.concat(parts, ignore_index=True)
