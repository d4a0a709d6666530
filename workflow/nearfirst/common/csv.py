"""Reading the CSV tables behind figures."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError


def read_csv(path: Path, needed: Collection[str], text: Collection[str]) -> pd.DataFrame:
    """Read a CSV in which every column holds numbers, except those named as text.

    An empty cell is NaN among numbers. Text stays as it is: a task may be called "NA". Raises
    InputError if the file is not a CSV of such columns, lacks one that is needed, or has no rows.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name in table.columns.difference(list(text)):
            table[name] = pd.to_numeric(table[name].replace("", np.nan))
    except ValueError as error:
        raise InputError(f"{path}: not a whole CSV file ({error})") from None
    for name in needed:
        if name not in table:
            raise InputError(f"{path}: column '{name}' is missing")
    if table.empty:
        raise InputError(f"{path}: no rows")
    return table
