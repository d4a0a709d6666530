"""The numbers of a figure, read and checked."""

from pathlib import Path

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError

TEXT = (
    "arrangement",
    "panel",
    "quantity",
    "task",
    "test",
    "dataset",
    "measure",
    "statistic",
    "metric",
)
WHOLE = ("step", "n")
NUMBERS = ("mean", "low", "high", "confidence")
COUNTS = ("instances", "left_out", "runs", "checkpoints")


def read_curves(path: Path, series: str) -> pd.DataFrame:
    """Read a table of curves.

    Parameters
    ----------
    path
        CSV with the columns of `series`, step, mean, low, high, n, confidence; panel and quantity
        are added where they are missing. Columns seed_N hold single runs.
    series
        Column that tells the curves of a panel apart.

    Raises
    ------
    InputError
        If the file is no CSV, a column or a mean is missing, or a curve has two values at a step.
    """
    table = _read(path, (series, *WHOLE, *NUMBERS))
    table = table.assign(panel=table.get("panel", ""), quantity=table.get("quantity", "loss"))
    for column in single_runs(table):
        try:
            table[column] = pd.to_numeric(table[column].replace("", np.nan))
        except ValueError as error:
            raise InputError(f"{path}: column '{column}': {error}") from None
    bad = np.flatnonzero(~np.isfinite(table["mean"]))
    if len(bad):
        row = table.iloc[bad[0]]
        raise InputError(f"{path}: {series} '{row[series]}' has no mean at step {row['step']}")
    again = table[table.duplicated(["panel", "quantity", series, "step"])]
    if len(again):
        row = again.iloc[0]
        raise InputError(
            f"{path}: {series} '{row[series]}' has two values of {row['quantity']} at step "
            f"{row['step']}; does another column tell the curves apart (--series)?"
        )
    return table


def single_runs(table: pd.DataFrame) -> list[str]:
    """Return the columns that hold the curves of single seeds, if there are any."""
    return [name for name in table.columns if name.startswith("seed_")]


def read_correlations(path: Path) -> pd.DataFrame:
    """Read a table of correlations: one row a measure and statistic.

    A mean that is not defined (a measure that never changes) is kept as NaN.

    Raises
    ------
    InputError
        If the file is no CSV, a column is missing, or a measure has two values of a statistic.
    """
    table = _read(path, ("measure", "statistic", "n", *NUMBERS))
    again = table[table.duplicated(["measure", "statistic"])]
    if len(again):
        row = again.iloc[0]
        raise InputError(
            f"{path}: measure '{row['measure']}' has two values of '{row['statistic']}'"
        )
    return table


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    numbers = NUMBERS + COUNTS
    kinds = {str: TEXT, int: WHOLE, float: numbers}
    try:
        table = pd.read_csv(
            path,
            dtype={name: kind for kind, names in kinds.items() for name in names},
            # A task may be called "none" or "NA".
            keep_default_na=False,
            na_values={name: ["", "nan", "NaN"] for name in numbers},
        )
    except ValueError as error:
        raise InputError(f"{path}: not a whole CSV file ({error})") from None
    for name in columns:
        if name not in table:
            raise InputError(f"{path}: column '{name}' is missing")
    if table.empty:
        raise InputError(f"{path}: no rows")
    return table
