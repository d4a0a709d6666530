"""Reading the numbers of figures."""

from pathlib import Path

import pandas as pd

from nearfirst.common.csv import read_csv

TEXT = (
    *("arrangement", "dataset", "metric", "task", "test", "type", "panel", "quantity", "schedule"),
    *("measure", "statistic", "group", "what", "order", "units"),
)
"""Columns of names; all others hold numbers."""


def read(path: Path) -> pd.DataFrame:
    """Read a table of a figure's numbers; raises what `read_csv` raises.

    Columns panel and quantity are added if missing.
    """
    table = read_csv(path, TEXT)
    return table.assign(panel=table.get("panel", ""), quantity=table.get("quantity", "loss"))
