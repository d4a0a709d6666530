"""Runs on the command line: which tables belong to which label, seed and test set."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.read import read_run, read_similarity
from nearfirst.figures.run import Run
from nearfirst.metrics import METRICS, MetricName

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
