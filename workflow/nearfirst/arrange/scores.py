"""Scores of training instances, from a column of their rows or from a separate table."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import open_parquet, read_table

Scores = npt.NDArray[np.float64]


def scores_of_rows(
    rows: Iterable[str | None], column: str, ids: Sequence[str], path: Path
) -> Scores:
    """Return the (N,) numbers in a column of rows, each a JSON object.

    Raises InputError if a row lacks the column or holds anything but a finite number in it.
    """
    scores = np.empty(len(ids))
    for i, text in enumerate(rows):
        row: dict[str, Any] = json.loads(text or "{}")
        value: Any = row.get(column)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and abs(value) <= sys.float_info.max):
            missing = f"is missing; the row has {', '.join(row)}"
            problem = f"holds {value!r}" if column in row else missing
            raise InputError(
                f"{path}: row {i} (id '{ids[i]}'): column {column!r} {problem}; a score is a "
                "finite number"
            )
        scores[i] = value
    return scores


def read_scores(
    path: Path, ids: Sequence[str], column: str = "score", *, may_lack: bool = False
) -> Scores:
    """Return the (N,) scores of instances from a table with the columns `id` and `column`.

    Instances that are not among `ids` are ignored. With `may_lack`, an instance without a row gets
    NaN. Raises InputError if the table cannot be read or repeats an id, if a score is not a finite
    number, or if an instance has none.
    """
    with open_parquet(path) as file:
        schema = file.schema_arrow
    kind = schema.field(column).type if column in schema.names else pa.float64()
    table = read_table(path, pa.schema([("id", pa.string()), (column, kind)]))
    score_ids, values = table["id"].to_pylist(), table[column].combine_chunks()
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise InputError(f"{path}: column '{column}' holds {values.type}, expected numbers")
    scores = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if not (is_finite := np.isfinite(scores)).all():
        row = int(is_finite.argmin())
        raise InputError(
            f"{path}: row {row} (id '{score_ids[row]}') has the {column} {values[row]}; a score is "
            "a finite number"
        )
    score_of = dict(zip(score_ids, scores, strict=True))
    missing = [id_ for id_ in ids if id_ not in score_of]
    if missing and not may_lack:
        raise InputError(
            f"{path}: no {column} for {len(missing):,} of {len(ids):,} training instances, the "
            f"first of them '{missing[0]}'; give every instance one"
        )
    return np.array([score_of.get(id_, np.nan) for id_ in ids])
