"""Runs and similarities made by hand, for the tests of the statistics."""

from collections.abc import Mapping, Sequence
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
    made = [
        (step, chr(ord("a") + i), tasks[i] if tasks else "task", loss, tokens[i] if tokens else 1)
        for step, per_instance in losses.items()
        for i, loss in enumerate(per_instance)
    ]
    return pd.DataFrame(made, columns=LOSSES.names)


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


def save(frame: pd.DataFrame, path: Path, left_out: int = 0) -> Path:
    table = pa.Table.from_pandas(frame, schema=LOSSES, preserve_index=False)
    write_table(table, path, {"left_out": str(left_out)})
    return path


def as_rows(made: Run) -> pd.DataFrame:
    """Return the rows of a run, as a table holds them."""
    long = made.values.stack().rename("loss").reset_index()
    return long.assign(
        task=long["id"].map(made.task), label_tokens=long["id"].map(made.label_tokens)
    )[LOSSES.names]


def write_runs(
    runs: Runs, folder: Path, left_out: int = 0, names: str = "{label} {seed}"
) -> list[object]:
    """Write runs, each in two segments; returns the flags that name them."""
    flags: list[object] = []
    for (label, seed), made in runs.items():
        frame = as_rows(made)
        late = frame["step"] > 10
        paths = [folder / f"{label}-{seed}-{part}.parquet" for part in (0, 1)]
        for path, part in zip(paths, (frame[~late], frame[late]), strict=True):
            save(part, path, left_out)
        flags += ["--run", *names.format(label=label, seed=seed).split(), *paths]
    return flags


Distances = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Of each measure and task the distance at each step."""


def tables(distances: Distances) -> dict[str, pd.DataFrame]:
    """Return similarities as they are read: of each measure (steps, tasks)."""
    return {measure: pd.DataFrame(dict(by_task)) for measure, by_task in distances.items()}


def write_similarity(found: Mapping[str, pd.DataFrame], path: Path) -> Path:
    parts = [
        table.rename_axis(index="step", columns="task").stack().rename("distance").reset_index()
        for table in found.values()
    ]
    frame = pd.concat(parts, keys=list(found), names=["measure", None]).reset_index("measure")
    frame["seen"] = 16 * frame["step"]
    write_table(pa.Table.from_pandas(frame, schema=SIMILARITY, preserve_index=False), path)
    return path
