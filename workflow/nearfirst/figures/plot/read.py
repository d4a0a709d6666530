"""Reading the numbers of a figure."""

from pathlib import Path

import pandas as pd

from nearfirst.common.csv import read_csv

TEXT = (
    *("arrangement", "dataset", "metric", "task", "test", "type", "panel", "quantity"),
    *("measure", "statistic", "group", "what"),
)
"""Columns of names; all others hold numbers."""
INTERVAL = ("low", "high", "confidence")


def read_curves(path: Path, series: str) -> pd.DataFrame:
    """Read a table of curves; raises what `read_csv` raises.

    Parameters
    ----------
    path
        CSV with the columns of `series`, step, mean, low, high, n, confidence; panel and quantity
        are added where they are missing. Columns seed_N hold single runs.
    series
        Column that tells the curves of a panel apart.
    """
    table = read_csv(path, (series, "step", "mean", "n", *INTERVAL), TEXT)
    return table.assign(panel=table.get("panel", ""), quantity=table.get("quantity", "loss"))


def single_runs(table: pd.DataFrame) -> list[str]:
    """Return the columns that hold the curves of single seeds, if there are any."""
    return [name for name in table.columns if name.startswith("seed_")]


def read_correlations(path: Path) -> pd.DataFrame:
    """Read a table of correlations, one row a measure and statistic; NaN where undefined."""
    return read_csv(path, ("measure", "statistic", "mean", "n", *INTERVAL), TEXT)


def read_distribution(path: Path) -> pd.DataFrame:
    """Read what `figures.reward_distribution.distribution` returned."""
    return read_csv(path, ("group", "what", "x", "width", "value", "n", *INTERVAL), TEXT)
