"""Runs on the command line: which tables belong to which label, seed and test set."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import LOSSES, SIMILARITY, left_out, read_table
from nearfirst.figures.run import Run, make_run
from nearfirst.metrics import METRICS, MetricName
from nearfirst.reward.table import REWARDS
from nearfirst.score.table import SCORES

SCHEMAS = {"losses": LOSSES, "scores": SCORES, "rewards": REWARDS}

LABEL = ("LABEL", "SEED")
TEST = ("LABEL", "SEED", "TEST")
FIGURE = ("FIGURE", "LABEL", "SEED")
METRIC = ("METRIC", "LABEL", "SEED")
"""What may stand before the files of a run."""

Content = TypeVar("Content")


def add_runs(
    parser: argparse.ArgumentParser,
    names: Sequence[str] = LABEL,
    label: str = "the curve",
    flag: str = "--run",
) -> None:
    """Add `--run LABEL SEED FILE [FILE …]`, which may be repeated; `names` precede the files."""
    metrics = f"METRIC is one of {', '.join(METRICS)}; " if "METRIC" in names else ""
    parser.add_argument(
        flag,
        nargs="+",
        action="append",
        required=True,
        metavar=(f"{' '.join(names)} FILE", "FILE"),
        help=f"tables of one run, segment by segment (Parquet); LABEL names {label}; "
        f"{metrics}repeat for each run",
    )


def add_similarities(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add `--similarity LABEL SEED TEST FILE`, which may be repeated."""
    parser.add_argument(
        "--similarity",
        nargs=len(TEST) + 1,
        action="append",
        required=required,
        default=None if required else [],
        metavar=(*TEST, "FILE"),
        help="similarity table of one run (Parquet); repeat for each run",
    )


def add_metric(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add `--metric NAME`, or several names: what of the tables is looked at."""
    parser.add_argument(
        "--metric",
        choices=list(METRICS),
        nargs="+" if several else None,
        default=["loss"] if several else "loss",
        help="column of the tables: a loss, a score or a reward (default: loss)",
    )


def read_runs(
    given: Sequence[Sequence[str]], metric: MetricName = "loss", flag: str = "--run"
) -> dict[tuple[str, int], Run]:
    """Read one metric of the runs that `--run LABEL SEED FILE …` named, by (label, seed).

    Raises
    ------
    InputError
        If a run is named without files or twice, or its tables cannot be read.
    """
    return _read(flag, given, LABEL, lambda paths: read_run(paths, metric))[""]


def read_groups(
    given: Sequence[Sequence[str]], names: Sequence[str], metric: MetricName = "loss"
) -> dict[str, dict[tuple[str, int], Run]]:
    """Read the runs that `--run` named, by test set or figure, then by (label, seed).

    Raises what `read_runs` raises.
    """
    return _read("--run", given, names, lambda paths: read_run(paths, metric))


def read_metrics(
    given: Sequence[Sequence[str]],
) -> dict[MetricName, dict[tuple[str, int], Run]]:
    """Read the runs that `--run METRIC LABEL SEED FILE …` named, by metric, then by (label, seed).

    Raises
    ------
    InputError
        What `read_runs` raises, or if there is no such metric.
    """
    found: dict[MetricName, dict[tuple[str, int], Run]] = {}
    for words in given:
        if words[0] not in METRICS:
            raise InputError(f"--run {words[0]}: no metric; they are {', '.join(METRICS)}")
    for metric in METRICS:
        if its := [words for words in given if words[0] == metric]:
            found[metric] = read_groups(its, METRIC, metric)[metric]
    return found


def read_similarities(
    given: Sequence[Sequence[str]],
) -> dict[str, dict[tuple[str, int], dict[str, pd.DataFrame]]]:
    """Read the tables that `--similarity` named, by test set, then by (label, seed).

    Raises
    ------
    InputError
        If a table is named twice or cannot be read.
    """
    return _read("--similarity", given, TEST, lambda paths: read_similarity(*paths))


def _read(
    flag: str,
    given: Sequence[Sequence[str]],
    names: Sequence[str],
    read: Callable[[Sequence[Path]], Content],
) -> dict[str, dict[tuple[str, int], Content]]:
    """Read what a flag named; without a third name, all of it is of the group ""."""
    found: dict[str, dict[tuple[str, int], Content]] = {}
    for words in given:
        said = dict(zip(names, words, strict=False))
        paths = [Path(word) for word in words[len(names) :]]
        # A file where a name belongs: the name was forgotten.
        forgotten = any(Path(name).suffix == ".parquet" for name in said.values())
        if not paths or forgotten or not said["SEED"].isdecimal():
            raise InputError(f"{flag} {words[0]}: expected {' '.join(names)} FILE …")
        key = said.pop("LABEL"), int(said.pop("SEED"))
        group = found.setdefault("".join(said.values()), {})
        if key in group:
            raise InputError(f"{flag} {' '.join(words[: len(names)])} is given twice")
        group[key] = read(paths)
    return found


def read_run(paths: Sequence[Path], metric: MetricName = "loss") -> Run:
    """Read one metric of one run from its segments.

    Raises
    ------
    InputError
        What `read_table` and `make_run` raise, or if the segments left out different numbers.
    """
    columns = ["step", "id", "task", metric, *(["label_tokens"] if metric == "loss" else [])]
    schema = pa.schema([SCHEMAS[METRICS[metric].stage].field(name) for name in columns])
    tables = [read_table(path, schema, unique=None) for path in paths]
    numbers = [left_out(table) for table in tables]
    for path, number in zip(paths, numbers, strict=True):
        if number != numbers[0]:
            raise InputError(
                f"{path}: {number} instances were left out, but {numbers[0]} in {paths[0]}; "
                "evaluate the run again"
            )
    return make_run([table.to_pandas() for table in tables], paths, numbers[0], metric)


def read_similarity(path: Path) -> dict[str, pd.DataFrame]:
    """Read a similarity table: of each measure the (steps, tasks) distances.

    Raises
    ------
    InputError
        What `read_table` raises, or if a distance is not finite, a row stands twice or a task
        lacks a measure at a step.
    """
    table: pd.DataFrame = read_table(path, SIMILARITY, unique=None).to_pandas()
    keys = ["step", "measure", "task"]
    for bad, what in (
        (table[keys].isna().any(axis=1), "has no task or no measure"),
        (~np.isfinite(table["distance"]), "holds no finite distance"),
        (table.duplicated(keys), "stands twice"),
    ):
        if bad.any():
            row = table[bad].iloc[0]
            raise InputError(
                f"{path}: {row['measure']} of task '{row['task']}' at step {row['step']} {what}"
            )
    measures, tasks = table["measure"].unique(), table["task"].unique()
    wide = table.pivot(index="step", columns=["measure", "task"], values="distance")
    wide = wide.reindex(columns=pd.MultiIndex.from_product([measures, tasks]))
    for row, column in np.argwhere(wide.isna().to_numpy())[:1]:
        measure, task = wide.columns[column]
        raise InputError(f"{path}: {measure} of task '{task}' at step {wide.index[row]} is missing")
    return {measure: wide[measure] for measure in measures}
