"""Reading runs and similarities from tables that say what they are of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.identity import KEYS, read_identity
from nearfirst.common.parquet import LOSSES, SIMILARITY, counted, left_out, open_parquet, read_table
from nearfirst.figures.figure import HELD_OUT, QUERY, Labelled, RunId, test_set
from nearfirst.figures.run import Key, Run, Similarity, make_run
from nearfirst.metrics import MetricName

T = TypeVar("T")


def read_runs(paths: Sequence[Path], metric: MetricName = "loss") -> dict[RunId, Run]:
    """Read one metric of runs, each from the tables of its segments.

    Tables without that metric are skipped: scores, rewards and similarities may be among them.

    Raises
    ------
    InputError
        What `read_table` and `make_run` raise; if no table has the metric, or one does not say what
        it is of; if a value is not finite.
    """
    segments: dict[RunId, list[Path]] = {}
    for path in _with_column(paths, metric):
        segments.setdefault(run_of(path), []).append(path)
    return {
        # Held-out conversations have no tasks, or topics that all are trained on.
        run: replace(
            _read_run(its, metric),
            unit="conversation" if test_set(run.test, "")[1] in (HELD_OUT, QUERY) else "task",
        )
        for run, its in segments.items()
    }


def read_similarities(paths: Sequence[Path]) -> dict[RunId, Similarity]:
    """Read the similarity tables among some tables; raises what `read_table` and `run_of` raise."""
    found: dict[RunId, Similarity] = {}
    for path in _with_column(paths, "measure"):
        table: pd.DataFrame = read_table(path, SIMILARITY, unique=None).to_pandas()
        found[run_of(path)] = {
            str(measure): part.pivot(index="step", columns="task", values="distance")
            for measure, part in table.groupby("measure", sort=False)
        }
    return found


def run_of(path: Path) -> RunId:
    """Return what a table of results is of.

    Raises
    ------
    InputError
        If the table does not say it.
    """
    identity = read_identity(path)
    missing = [key for key in KEYS if key not in identity]
    if missing:
        raise InputError(
            f"{path}: the table does not say its {', '.join(missing)}; compute it again with this "
            "version, or add them to the file's metadata"
        )
    dataset, test, arrangement, seed = (identity[key] for key in KEYS)
    return RunId(dataset, test, arrangement, int(seed))


def labelled(found: Mapping[RunId, T], figure: Labelled) -> dict[Key, T]:
    """Return the runs of one test set that a figure shows, by (label, seed), in its order.

    Raises
    ------
    InputError
        If a label has no run, or the runs are of several test sets.
    """
    (test, runs), *others = labelled_by_test(found, figure).items()
    if others:
        raise InputError(f"tables of several test sets, {test} and {others[0][0]}; give one")
    return runs


def labelled_by_test(
    found: Mapping[RunId, T], figure: Labelled, tests: Sequence[str] = ()
) -> dict[str, dict[Key, T]]:
    """Return the runs that a figure shows by test set, then by (label, seed), in its order.

    Raises
    ------
    InputError
        If a label has no run on a test set.
    """
    names = {run: label for run in found if (label := figure.label(run)) is not None}
    labels = figure.labels()
    tests = tests or sorted({run.test for run in names}) or [""]
    result: dict[str, dict[Key, T]] = {}
    for test in tests:
        for label in labels:
            its = sorted(run for run in names if (run.test, names[run]) == (test, label))
            if not its:
                raise InputError(f"no table of {label!r}{test and f' on test set {test}'}")
            result.setdefault(test, {}).update({(label, run.seed): found[run] for run in its})
    return result


def _with_column(paths: Sequence[Path], column: str) -> list[Path]:
    found = []
    for path in paths:
        with open_parquet(path) as file:
            if column in file.schema_arrow.names:
                found.append(path)
    if not found:
        raise InputError(f"none of the tables has a column '{column}'")
    return found


def _read_run(paths: Sequence[Path], metric: MetricName) -> Run:
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
    run = make_run(pd.concat(parts, ignore_index=True), paths[0], metric, left_out(tables[0]))
    keys = ("trained", "without_label", "pool", "tokens", "rounds", "embedded", "cut", "distinct")
    known: dict[str, Any] = {key: counted(tables[0], key) for key in keys}
    return replace(run, **known, content=read_identity(paths[0]).get("content", ""))
