"""The comparisons of all figures as one family."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nearfirst.common.csv import read_csv
from nearfirst.figures.comparison import RUN

TEXT = ("comparison", "metric", "question", "steps", "units")


def join_comparisons(figures: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Join the paired comparisons of all figures, given by name, in one table.

    Returns
    -------
    A column figure, the columns of the tables, and p_overall. The `p_value` of a difference over a
    run is corrected over the comparisons of its figure; p_overall is that times the number of
    figures (Bonferroni), for readers who look for any difference at all. NaN in other rows.
    """
    joined = pd.concat(figures, names=["figure", None]).reset_index("figure")
    overall = (joined["p_value"] * len(figures)).clip(upper=1)
    position = list(joined).index("p_value") + 1
    joined.insert(position, "p_overall", overall.where(joined["question"] == RUN))
    return joined.reset_index(drop=True)


def read_comparison(path: Path) -> pd.DataFrame:
    """Read a table that `compare.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, TEXT)
