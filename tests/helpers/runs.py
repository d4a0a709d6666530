"""Handmade runs and similarities for the tests of the statistics."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from nearfirst.common.parquet import LOSSES, SIMILARITY, write_table
from nearfirst.figures.run import Run, make_run

Losses = Mapping[int, Sequence[float | None]]
Runs = dict[tuple[str, int], Run]


def rows(losses: Losses, tasks: Sequence[str] = (), tokens: Sequence[int] = ()) -> pd.DataFrame:
    """Return the losses of instances a, b, c, … at each step as rows of a table."""
    records = [
        (step, chr(ord("a") + i), tasks[i] if tasks else "task", loss, tokens[i] if tokens else 1)
        for step, per_instance in losses.items()
        for i, loss in enumerate(per_instance)
    ]
    return pd.DataFrame(records, columns=LOSSES.names)


def run(losses: Losses, tasks: Sequence[str] = (), tokens: Sequence[int] = ()) -> Run:
    return make_run(rows(losses, tasks, tokens), "run")


def noisy(
    labels: Mapping[str, float],
    seeds: int,
    instances: int = 30,
    steps: Sequence[int] = (0, 10, 20),
    tasks: Sequence[str] = (),
) -> Runs:
    """Make runs whose losses lie about a value for each label."""
    generator = np.random.default_rng(1)
    return {
        (label, seed): run(
            {step: 3 + centre + generator.normal(size=instances) for step in steps}, tasks
        )
        for label, centre in labels.items()
        for seed in range(seeds)
    }


IDENTITY = {"dataset": "flan", "test": "specialist-0", "arrangement": "random", "seed": "0"}


def save(frame: pd.DataFrame, path: Path, left_out: int = 0, **identity: object) -> Path:
    """Write losses with their identity as metadata."""
    table = pa.Table.from_pandas(frame, schema=LOSSES, preserve_index=False)
    return save_table(table, path, left_out=left_out, **identity)


def save_table(table: pa.Table, path: Path, **metadata: object) -> Path:
    """Write a table with its identity as metadata."""
    write_table(table, path, {**IDENTITY, **{key: str(value) for key, value in metadata.items()}})
    return path


def as_rows(run: Run) -> pd.DataFrame:
    """Return a run as rows of a table of losses."""
    long = run.values.stack().rename("loss").reset_index()
    return long.assign(
        task=long["id"].map(run.task), label_tokens=long["id"].map(run.label_tokens)
    )[LOSSES.names]


def write_runs(
    runs: Runs, folder: Path, left_out: int = 0, by: str = "arrangement", **identity: object
) -> list[Path]:
    """Write runs, each in two segments; their label is the value of the key `by`."""
    paths = []
    for (label, seed), run in runs.items():
        frame = as_rows(run)
        for part, late in enumerate((frame["step"] <= 10, frame["step"] > 10)):
            path = folder / f"{label}-{seed}-{part}.parquet"
            keys = {**identity, by: label, "seed": seed}
            paths.append(save(frame[late], path, left_out, **keys))
    return paths


def figure(kind: str, *labels: str, **keys: object) -> str:
    """Return the row of a figure whose labels are names of runs, as JSON."""
    curves = {"curves": {label: label for label in labels}} if labels else {}
    return json.dumps({"kind": kind, **curves, **keys})


def assert_equal(output: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Check a CSV, which keeps six digits, and float32 values behind it."""
    output = output.astype(expected.dtypes)
    pd.testing.assert_frame_equal(output, expected, rtol=1e-4, atol=2e-6, check_dtype=False)


def some_answers(
    right: Callable[[int], bool] = lambda number: number % 3 == 1,
    instances: int = 50,
    seeds: int = 2,
) -> pd.DataFrame:
    """Make answers at 3 checkpoints; `right` says for the number of an answer whether it is."""
    number = np.arange(3 * instances * seeds)
    is_right = np.array([right(one) for one in number])
    columns = {
        "seed": number // (3 * instances),
        "step": number // instances % 3,
        "id": [f"id-{one % instances}" for one in number],
        "right": is_right,
        "reward": np.random.default_rng(0).normal(size=len(number)) + is_right,
    }
    return pd.DataFrame(columns)


Distances = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Distances by measure, task and step."""


def tables(distances: Distances) -> dict[str, pd.DataFrame]:
    """Return similarities as they are read: a table (steps, tasks) for each measure."""
    return {measure: pd.DataFrame(dict(by_task)) for measure, by_task in distances.items()}


def write_similarity(
    by_measure: Mapping[str, pd.DataFrame], path: Path, **identity: object
) -> Path:
    parts = [
        table.rename_axis(index="step", columns="task").stack().rename("distance").reset_index()
        for table in by_measure.values()
    ]
    frame = pd.concat(parts, keys=list(by_measure), names=["measure", None]).reset_index("measure")
    frame["seen"] = 16 * frame["step"]
    table = pa.Table.from_pandas(frame, schema=SIMILARITY, preserve_index=False)
    return save_table(table, path, **identity)
