"""The comparisons of all figures as one family."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.holm import holm

TEXT = ("comparison", "metric", "steps", "units")


def join_comparisons(figures: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the paired comparisons of all figures in one table.

    Parameters
    ----------
    figures
        Of each figure its table, as `paired_comparison` returns it.

    Returns
    -------
    The columns of the tables, after a column figure; and p_overall, `p_crossed` corrected by
    Holm's method over all rows of all figures. It is for who looks through them for any difference
    at all; who asks one figure a question has `p_adjusted`.
    """
    parts = [table.assign(figure=name) for name, table in figures.items()]
    joined = pd.concat(parts, ignore_index=True)
    joined.insert(0, "figure", joined.pop("figure"))
    at = joined.columns.get_loc("p_adjusted")
    assert isinstance(at, int)
    joined.insert(at + 1, "p_overall", holm(joined["p_crossed"].to_numpy()))
    return joined


def read_comparison(path: Path) -> pd.DataFrame:
    """Read a table that `compare.py` wrote.

    Raises
    ------
    InputError
        If the file is no CSV, lacks a column or rows, or holds no p-value where one must be.
    """
    try:
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(TEXT, str),
            # An arrangement may be called "none" or "NA".
            keep_default_na=False,
            na_values={name: [""] for name in ("p_windows", "p_crossed", "p_adjusted")},
        )
    except ValueError as error:
        raise InputError(f"{path}: not a whole CSV file ({error})") from None
    for name in (*TEXT, "p_crossed", "p_adjusted"):
        if name not in table:
            raise InputError(f"{path}: column '{name}' is missing; run compare.py again")
    if table.empty:
        raise InputError(f"{path}: no rows; run compare.py again")
    values = pd.to_numeric(table["p_crossed"], errors="coerce")
    for _, row in table[~values.between(0, 1)].iterrows():
        raise InputError(
            f"{path}: p_crossed of {row['comparison']} at steps {row['steps']} is "
            f"'{row['p_crossed']}'; it must be from 0 to 1: run compare.py again"
        )
    return table.assign(p_crossed=values)
