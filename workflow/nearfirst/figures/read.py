"""Reading runs and similarities from tables of results."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import LOSSES, SIMILARITY, left_out, read_table
from nearfirst.figures.run import Run, make_run
from nearfirst.metrics import MetricName


def read_run(paths: Sequence[Path], metric: MetricName = "loss") -> Run:
    """Read one metric of one run from its segments.

    Raises
    ------
    InputError
        What `read_table` and `make_run` raise, or if a value is not finite.
    """
    columns = [LOSSES.field(name) for name in ("step", "id", "task")]
    columns.append(pa.field(metric, pa.float32()))
    if metric == "loss":
        columns.append(LOSSES.field("label_tokens"))
    tables = [read_table(path, pa.schema(columns), unique=None) for path in paths]
    parts = [table.to_pandas() for table in tables]
    for path, part in zip(paths, parts, strict=True):
        for row in part[~np.isfinite(part[metric])].to_dict("records")[:1]:
            raise InputError(
                f"{path}: the {metric} of instance '{row['id']}' at step {row['step']} is "
                f"{row[metric]}; the run diverged, lower train.learning_rate"
            )
    return make_run(pd.concat(parts, ignore_index=True), paths[0], metric, left_out(tables[0]))


def read_similarity(path: Path) -> dict[str, pd.DataFrame]:
    """Read a similarity table: of each measure the (steps, tasks) distances.

    Raises what `read_table` raises.
    """
    table: pd.DataFrame = read_table(path, SIMILARITY, unique=None).to_pandas()
    return {
        str(measure): part.pivot(index="step", columns="task", values="distance")
        for measure, part in table.groupby("measure", sort=False)
    }
