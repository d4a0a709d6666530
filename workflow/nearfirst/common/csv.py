"""Reading of the CSV tables behind figures."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError


def read_csv(path: Path, text: Collection[str]) -> pd.DataFrame:
    """Read a CSV in which every column holds numbers, except those named as text.

    An empty cell in a column of numbers is NaN. Text is not interpreted: a task may be called "NA".

    Raises InputError if the file is damaged or empty.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name in table.columns.difference(list(text)):
            table[name] = pd.to_numeric(table[name].replace("", np.nan))
    except ValueError as error:
        raise InputError(f"{path}: not a whole CSV file ({error})") from None
    if table.empty:
        raise InputError(f"{path}: no rows")
    return table
