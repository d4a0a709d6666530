"""What the splits hold, and where the unseen tasks are not as unseen as they look."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SOURCES, read_table
from nearfirst.figures.catalogue import Expected

Splits = Mapping[tuple[str, str], pd.DataFrame]
"""Task and source of every instance of each (data set, split)."""


def add_splits(parser: argparse.ArgumentParser) -> None:
    """Add `--split DATASET SPLIT FILE`, which may be repeated."""
    parser.add_argument(
        "--split",
        nargs=3,
        action="append",
        required=True,
        metavar=("DATASET", "SPLIT", "FILE"),
        help="instances of one split (Parquet); repeat for each",
    )


def read_splits(given: Sequence[Sequence[str]]) -> dict[tuple[str, str], pd.DataFrame]:
    """Read the splits that `--split` named.

    Raises
    ------
    InputError
        What `read_table` raises, or if a split is named twice.
    """
    columns = pa.schema([SOURCES.field("task"), SOURCES.field("source")])
    found: dict[tuple[str, str], pd.DataFrame] = {}
    for dataset, split, path in given:
        if (dataset, split) in found:
            raise InputError(f"--split {dataset} {split} is given twice")
        found[dataset, split] = read_table(Path(path), columns, unique=None).to_pandas()
    return found


def sizes(splits: Splits, expected: Mapping[str, Mapping[str, Expected]]) -> pd.DataFrame:
    """Count the tasks and instances of every split (Table 4).

    Returns
    -------
    Columns dataset, split, tasks, instances, expected_tasks, expected_instances, matches (`yes`,
    `no`, or empty where nothing is expected).
    """
    rows = []
    for (dataset, split), table in splits.items():
        found = {"tasks": table["task"].nunique(), "instances": len(table)}
        wanted = expected.get(dataset, {}).get(split, Expected()).model_dump()
        known = {key: value for key, value in wanted.items() if value is not None}
        matches = "yes" if all(found[key] == value for key, value in known.items()) else "no"
        rows.append(
            {
                "dataset": dataset,
                "split": split,
                **found,
                **{f"expected_{key}": wanted[key] for key in found},
                "matches": matches if known else "",
            }
        )
    table = pd.DataFrame(rows)
    return table.astype({"expected_tasks": "Int64", "expected_instances": "Int64"})


def leaks(splits: Splits) -> pd.DataFrame:
    """List every unseen task with the training tasks that have its source.

    Splits whose tasks are training tasks (conversations held out one by one) have no unseen tasks
    and are not listed.

    Raises
    ------
    InputError
        If the training split of a data set is missing.

    Returns
    -------
    Columns dataset, split, task, source, instances, training_tasks (how many share the source),
    shared_with (their names, joined by `;`).
    """
    rows = []
    for (dataset, split), table in splits.items():
        if split == "train":
            continue
        if (dataset, "train") not in splits:
            raise InputError(f"--split {dataset} train is missing: what is compared with {split}")
        train = splits[dataset, "train"].drop_duplicates()
        if set(table["task"]) & set(train["task"]):
            continue
        for (task, source), part in table.groupby(["task", "source"]):
            shared = sorted(train.loc[train["source"] == source, "task"])
            rows.append((dataset, split, task, source, len(part), len(shared), ";".join(shared)))
    columns = ["dataset", "split", "task", "source", "instances", "training_tasks", "shared_with"]
    return pd.DataFrame(rows, columns=columns)
