"""The numbers of Figure 6, read and checked, and what they say in words."""

from pathlib import Path

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError

GROUPS = ("right", "wrong")
KEY = ["group", "what", "x"]
NUMBERS = ("x", "width", "value", "low", "high", "confidence")
FACTS = (
    *((group, what) for group in GROUPS for what in ("count", "instances")),
    *(
        ("both", what)
        for what in (
            *("overlap", "auc", "instances", "seeds", "checkpoints", "left_out"),
            *("least", "least_instances"),
        )
    ),
)
"""The rows that a table must have."""


def read_distribution(path: Path) -> pd.DataFrame:
    """Read a table of rewards of right and of wrong answers.

    Parameters
    ----------
    path
        CSV with the columns group, what, x, width, value, low, high, n, confidence, as
        `statistics.distribution` makes them. An overlap or an AUC that is not there is NaN.

    Raises
    ------
    InputError
        If the file is no CSV, a column, a row or a height is missing, or a row stands twice.
    """
    kinds = {"group": str, "what": str, "n": int, **dict.fromkeys(NUMBERS, float)}
    try:
        table = pd.read_csv(path, dtype=kinds)
    except ValueError as error:
        raise InputError(f"{path}: not a whole CSV file ({error})") from None
    for name in kinds:
        if name not in table:
            raise InputError(f"{path}: column '{name}' is missing")
    there = set(zip(table["group"], table["what"], strict=True))
    for group, what in FACTS:
        if (group, what) not in there:
            raise InputError(f"{path}: the row of {group} '{what}' is missing")
    for bad, says in (
        (table.duplicated(KEY), "stands twice"),
        (
            ~np.isfinite(table["value"]) & ~table["what"].isin(["overlap", "auc", "mean"]),
            "is no number",
        ),
    ):
        if bad.any():
            row = table[bad].iloc[0]
            place = f" at {row['x']:g}" if np.isfinite(row["x"]) else ""
            raise InputError(f"{path}: '{row['what']}' of {row['group']}{place} {says}")
    return table


def fact(table: pd.DataFrame, group: str, what: str) -> "pd.Series[float]":
    """Return value, low and high of the one row of a group that says this."""
    row = table[(table["group"] == group) & (table["what"] == what)]
    return row[["value", "low", "high"]].iloc[0]


def count(table: pd.DataFrame, group: str, what: str) -> int:
    """Return the whole number in the one row of a group that says this."""
    return int(fact(table, group, what)["value"])


def facts(table: pd.DataFrame) -> list[str]:
    """Return what a caption says of a table, after its general words."""
    instances, seeds, checkpoints, left_out = (
        count(table, "both", what) for what in ("instances", "seeds", "checkpoints", "left_out")
    )
    size = sum(count(table, group, "count") for group in GROUPS)
    return [
        f"Answers: {size:,}, of {seeds} runs at {checkpoints} checkpoints to {instances:,} test "
        f"instances. Left out, having no score or no reward: {left_out:,} instances.",
        *(f"{text[0].upper()}{text[1:]}." for text in sentences(table)),
    ]


def sentences(table: pd.DataFrame) -> list[str]:
    """Return what a figure says: overlap and AUC, and why a density or one of them is missing."""
    level = f"{100 * table['confidence'].max():g}%"
    found = []
    for what, name in (("overlap", "overlap"), ("auc", "AUC")):
        value, low, high = fact(table, "both", what)
        if np.isfinite(value):
            interval = f" ({level} interval {low:.2f} to {high:.2f})" if np.isfinite(low) else ""
            found.append(f"{name} {value:.2f}{interval}")
    drawn = set(table.loc[table["what"] == "density", "group"])
    least, prompts = (count(table, "both", what) for what in ("least", "least_instances"))
    for group in GROUPS:
        size, its = (count(table, group, what) for what in ("count", "instances"))
        if not size:
            found.append(f"no {group} answers: nothing to compare")
        elif size < least or its < prompts:
            few = "a density" + " and for intervals" * (its < prompts)
            found.append(
                f"{answers(table, group)}: too few for {few} "
                f"(at least {least} answers to {prompts} prompts)"
            )
        elif group not in drawn:
            found.append(f"all {group} answers have the same reward: no density")
    return found


def answers(table: pd.DataFrame, group: str) -> str:
    """Return how many answers a group has, and to how many prompts."""
    size, its = (count(table, group, what) for what in ("count", "instances"))
    return f"{size:,} {group} answer{'s' * (size != 1)} to {its:,} prompt{'s' * (its != 1)}"
