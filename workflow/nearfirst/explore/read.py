"""The numbers of an exploration, as its figure and caption need them."""

from pathlib import Path

import numpy as np
import pandas as pd

from nearfirst.common.csv import read_csv

TEXT = ("panel", "what", "task", "measure")
NUMBERS = ("x", "width", "value", "n")
MEASURES = {
    "cosine": "Cosine distance (1 − cos)",
    "euclidean": "Euclidean distance",
}
"""Names of the distances in axis labels and captions."""


def read_exploration(path: Path) -> pd.DataFrame:
    """Read the CSV that `explore.py` writes. Raises what `read_csv` raises."""
    return read_csv(path, TEXT)


def panel_rows(table: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Return the rows of a panel."""
    return table[table["panel"] == panel]


def number(table: pd.DataFrame, name: str, panel: str = "about", column: str = "value") -> float:
    """Return a number by its name in a panel; the name of `near: other tasks` is `near`."""
    rows = panel_rows(table, panel)
    return float(rows.loc[rows["what"].str.partition(":")[0] == name, column].iloc[0])


def label(table: pd.DataFrame, name: str) -> str:
    """Return the label behind a name in the panel `about`: `words` for `ngram: words`."""
    names = panel_rows(table, "about")["what"].str.partition(": ")
    return str(names.loc[names[0] == name, 2].iloc[0])


def task_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of each test task, nearest first (by median, then by name).

    The columns are task, n (test instances), min, q25, median, q75, max, and near_test: the number
    of test instances with near data, NaN if the pool is too small to say what is near.
    """
    rows = panel_rows(table, "task")
    wide = rows.pivot(index="task", columns="what", values="value")
    if "near_test" not in wide:
        wide["near_test"] = np.nan
    sizes = rows.loc[rows["what"] == "median"].set_index("task")["n"]
    return wide.join(sizes).reset_index().sort_values(["median", "task"], ignore_index=True)


def cumulative_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Return columns x (round) and share (of the pool, up to and including this round)."""
    rows = panel_rows(table, "round").sort_values("x")
    return pd.DataFrame({"x": rows["x"], "share": rows["value"].cumsum() / rows["n"]})


def panel_letters(table: pd.DataFrame) -> dict[str, str]:
    """Return the letter of each panel that is drawn.

    Tasks are not drawn if there is only one, nor duplicates if there are none.
    """
    is_drawn = {
        "distances": True,
        "tasks": number(table, "test_tasks") > 1,
        "rounds": True,
        "duplicates": bool(panel_rows(table, "pairs")["value"].any()),
    }
    return dict(zip([name for name, drawn in is_drawn.items() if drawn], "abcd", strict=False))


def leak_warning(table: pd.DataFrame) -> str:
    """Return a warning if the pool holds test texts, else an empty string."""
    leaked, total = (
        int(number(table, "identical text", "pairs_test", column)) for column in ("value", "n")
    )
    if not leaked:
        return ""
    return f"Warning: {leaked:,} of {total:,} test instances have the same text as a training one"
