"""The comparisons of all figures as one family."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nearfirst.common.csv import read_csv
from nearfirst.figures.comparison import RUN

TEXT = ("comparison", "metric", "question", "steps", "units")


def join_comparisons(figures: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the paired comparisons of all figures, by name, in one table.

    Returns
    -------
    A column figure, then the columns of the tables, and p_overall: of a difference over a run its
    `p_value`, which is corrected over the comparisons of its figure, times the number of figures
    (Bonferroni), for whoever looks through them for any difference at all. NaN in other rows.
    """
    joined = pd.concat(figures, names=["figure", None]).reset_index("figure")
    overall = (joined["p_value"] * len(figures)).clip(upper=1)
    place = joined.columns.tolist().index("p_value") + 1
    joined.insert(place, "p_overall", overall.where(joined["question"] == RUN))
    return joined.reset_index(drop=True)


def read_comparison(path: Path) -> pd.DataFrame:
    """Read a table that `compare.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, (*TEXT, "p_value"), TEXT)
