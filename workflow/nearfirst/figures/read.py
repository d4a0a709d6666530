"""Read runs and similarities from tables whose metadata name their run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.identity import KEYS, read_identity
from nearfirst.common.parquet import (
    LOSSES,
    SIMILARITY,
    count_of,
    left_out,
    open_parquet,
    read_table,
)
from nearfirst.figures.figure import Labelled, RunId, has_conversations_as_units
from nearfirst.figures.run import Key, Run, Similarity, make_run, scaled
from nearfirst.metrics import MetricName

T = TypeVar("T")


def read_runs(paths: Sequence[Path], metric: MetricName = "loss") -> dict[RunId, Run]:
    """Read one metric of runs, each from the tables of its segments.

    Tables without that metric, such as those of similarities, are skipped. Raises InputError like
    `read_table` and `make_run`, and if no table has the metric, a table does not name its run, or a
    value is not finite.
    """
    segments: dict[RunId, list[Path]] = {}
    for path in _with_column(paths, metric):
        segments.setdefault(run_of(path), []).append(path)
    return {run_id: _read_run(run_id, files, metric) for run_id, files in segments.items()}


def runs_of(figure: Labelled, paths: Sequence[Path], metric: MetricName = "loss") -> dict[Key, Run]:
    """Read a metric of a figure's runs with one test set, in the units of figures."""
    return scaled(results_of(read_runs(paths, metric), figure), metric)


def read_similarities(paths: Sequence[Path]) -> dict[RunId, Similarity]:
    """Read the similarity tables among some tables; raises like `read_table` and `run_of`."""
    similarities: dict[RunId, Similarity] = {}
    for path in _with_column(paths, "measure"):
        table: pd.DataFrame = read_table(path, SIMILARITY, unique=None).to_pandas()
        similarities[run_of(path)] = {
            str(measure): part.pivot(index="step", columns="task", values="distance")
            for measure, part in table.groupby("measure", sort=False)
        }
    return similarities


def run_of(path: Path) -> RunId:
    """Return the run of a table of results; raises InputError if its metadata do not name it."""
    identity = read_identity(path)
    missing = [key for key in KEYS if key not in identity]
    if missing:
        raise InputError(
            f"{path}: the table does not say its {', '.join(missing)}; compute it again with this "
            "version, or add them to the file's metadata"
        )
    dataset, test, arrangement, seed = (identity[key] for key in KEYS)
    return RunId(dataset, test, arrangement, int(seed))


def results_of(results: Mapping[RunId, T], figure: Labelled) -> dict[Key, T]:
    """Return the runs of a figure with one test set, by (label, seed), in the figure's order.

    Raises InputError if a label has no run, or the runs are of several test sets.
    """
    (test, runs), *others = results_by_test(results, figure).items()
    if others:
        raise InputError(f"tables of several test sets, {test} and {others[0][0]}; give one")
    return runs


def results_by_test(
    results: Mapping[RunId, T], figure: Labelled, tests: Sequence[str] = ()
) -> dict[str, dict[Key, T]]:
    """Return the runs of a figure by test set, then by (label, seed), in the figure's order.

    Raises InputError if a label has no run on a test set.
    """
    label_of = {run: label for run in results if (label := figure.label(run)) is not None}
    tests = tests or sorted({run.test for run in label_of}) or [""]
    by_test: dict[str, dict[Key, T]] = {}
    for test in tests:
        for label in figure.labels():
            runs = sorted(run for run in label_of if (run.test, label_of[run]) == (test, label))
            if not runs:
                raise InputError(f"no table of {label!r}{test and f' on test set {test}'}")
            by_test.setdefault(test, {}).update({(label, run.seed): results[run] for run in runs})
    return by_test


def _with_column(paths: Sequence[Path], column: str) -> list[Path]:
    matches = []
    for path in paths:
        with open_parquet(path) as file:
            if column in file.schema_arrow.names:
                matches.append(path)
    if not matches:
        raise InputError(f"none of the tables has a column '{column}'")
    return matches


def _read_run(run_id: RunId, paths: Sequence[Path], metric: MetricName) -> Run:
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
    counted = {key: count for key in keys if (count := count_of(tables[0], key))}
    return replace(
        run,
        counted=counted,
        content=read_identity(paths[0]).get("content", ""),
        unit="conversation" if has_conversations_as_units(run_id.test) else "task",
    )
