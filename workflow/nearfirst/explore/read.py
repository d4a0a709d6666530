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
"""What axes and captions call a distance."""


def read_exploration(path: Path) -> pd.DataFrame:
    """Read the CSV that `explore.py` writes. Raises what `read_csv` raises."""
    return read_csv(path, (*TEXT, *NUMBERS), TEXT)


def of(table: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Return the rows of a panel."""
    return table[table["panel"] == panel]


def number(table: pd.DataFrame, panel: str, what: str, column: str = "value") -> float:
    """Return a number by its panel and name; of `near: given`, the name is `near`."""
    its = of(table, panel)
    return float(its.loc[its["what"].str.partition(":")[0] == what, column].iloc[0])


def word(table: pd.DataFrame, what: str) -> str:
    """Return the word behind a name of `about`, such as `given` of `near: given`."""
    names = of(table, "about")["what"].str.partition(": ")
    return str(names.loc[names[0] == what, 2].iloc[0])


def tasks(table: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of each test task, nearest first (by median, then by name).

    Returns
    -------
    Columns task, n (test instances), min, q25, median, q75, max, and near_test, the number of
    test instances with near data, which is NaN if the pool does not say what is near.
    """
    its = of(table, "task")
    wide = its.pivot(index="task", columns="what", values="value")
    if "near_test" not in wide:
        wide["near_test"] = np.nan
    sizes = its.loc[its["what"] == "median"].set_index("task")["n"]
    return wide.join(sizes).reset_index().sort_values(["median", "task"], ignore_index=True)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Return columns x (round) and share (of the pool, in this round and those before it)."""
    its = of(table, "round").sort_values("x")
    return pd.DataFrame({"x": its["x"], "share": its["value"].cumsum() / its["n"]})


def letters(table: pd.DataFrame) -> dict[str, str]:
    """Return the letter of each panel that is drawn.

    The panel of tasks is left out for a single task, that of duplicates where there are none.
    """
    drawn = {
        "distances": True,
        "tasks": number(table, "about", "test_tasks") > 1,
        "rounds": True,
        "duplicates": bool(of(table, "pairs")["value"].any()),
    }
    return dict(zip([name for name, its in drawn.items() if its], "abcd", strict=False))


def leak(table: pd.DataFrame) -> str:
    """Return a warning if the pool holds test texts, else an empty string."""
    same, tests, trained, points = (
        int(number(table, f"pairs_{side}", "identical text", column))
        for side in ("test", "train")
        for column in ("value", "n")
    )
    if not same:
        return ""
    if (same, trained) == (tests, points):
        return "Warning: the test set is the training set"
    return f"Warning: {same:,} of {tests:,} test instances have the same text as a training one"
