"""The comparisons of all figures as one family."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nearfirst.common.csv import read_csv
from nearfirst.figures.comparison.holm import holm

TEXT = ("comparison", "metric", "steps", "units")


def join_comparisons(figures: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the paired comparisons of all figures, by name, in one table.

    Returns
    -------
    A column figure, then the columns of the tables, and p_overall: `p_crossed` corrected by Holm's
    method over all rows of all figures, for whoever looks through them for any difference at all.
    """
    joined = pd.concat(figures, names=["figure", None]).reset_index("figure")
    at = joined.columns.tolist().index("p_adjusted") + 1
    joined.insert(at, "p_overall", holm(joined["p_crossed"].to_numpy()))
    return joined.reset_index(drop=True)


def read_comparison(path: Path) -> pd.DataFrame:
    """Read a table that `compare.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, (*TEXT, "p_crossed", "p_adjusted"), TEXT)
