"""What a figure of rewards of right and of wrong answers says in words."""

import numpy as np
import pandas as pd

GROUPS = ("right", "wrong")


def sentences(table: pd.DataFrame) -> list[str]:
    """Return overlap and AUC, and why a density or one of them is missing."""
    level = f"{100 * table['confidence'].max():g}%"
    found = []
    for what, name in (("overlap", "overlap"), ("auc", "AUC")):
        value, low, high = _row(table, "both", what)
        if np.isfinite(value):
            interval = f" ({level} interval {low:.2f} to {high:.2f})" if np.isfinite(low) else ""
            found.append(f"{name} {value:.2f}{interval}")
    drawn = set(table.loc[table["what"] == "density", "group"])
    answers, prompts = (count(table, "both", what) for what in ("min_answers", "min_instances"))
    for group in GROUPS:
        size, its = (count(table, group, what) for what in ("count", "instances"))
        if not size:
            found.append(f"no {group} answers: nothing to compare")
        elif size < answers or its < prompts:
            few = "a density and intervals" if its < prompts else "a density"
            found.append(
                f"{numbers(table, group)}: too few for {few} "
                f"(at least {answers} answers to {prompts} prompts)"
            )
        elif group not in drawn:
            found.append(f"all {group} answers have the same reward: no density")
    return found


def numbers(table: pd.DataFrame, group: str) -> str:
    """Return how many answers a group has, and to how many prompts."""
    size, its = (count(table, group, what) for what in ("count", "instances"))
    return f"{size:,} {group} answer{'s' * (size != 1)} to {its:,} prompt{'s' * (its != 1)}"


def count(table: pd.DataFrame, group: str, what: str) -> int:
    """Return the whole number in the row of a group that says this."""
    return int(_row(table, group, what)["value"])


def _row(table: pd.DataFrame, group: str, what: str) -> "pd.Series[float]":
    row = table[(table["group"] == group) & (table["what"] == what)]
    return row[["value", "low", "high"]].iloc[0]
