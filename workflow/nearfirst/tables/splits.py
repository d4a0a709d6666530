"""Sizes of the splits, and unseen tasks that share a source with a training task."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import SOURCES, read_table
from nearfirst.tables.settings import Expected

Splits = Mapping[tuple[str, str], pd.DataFrame]
"""Task and source of every instance, by data set and split."""


def read_splits(paths: Sequence[Path]) -> dict[tuple[str, str], pd.DataFrame]:
    """Read tables of instances by the data set and split in their metadata."""
    columns = pa.schema([SOURCES.field("task"), SOURCES.field("source")])
    splits: dict[tuple[str, str], pd.DataFrame] = {}
    for path in paths:
        identity = read_identity(path)
        table = read_table(path, columns, unique=None).to_pandas()
        splits[identity["dataset"], identity["test"]] = table
    return splits


def sizes(splits: Splits, expected: Mapping[str, Mapping[str, Expected]]) -> pd.DataFrame:
    """Count the tasks and instances of every split (Table 4).

    Returns
    -------
    Columns dataset, split, tasks, instances, expected_tasks, expected_instances, matches (`yes`,
    `no`, or empty where nothing is expected).
    """
    rows = []
    for (dataset, split), table in splits.items():
        actual = {"tasks": table["task"].nunique(), "instances": len(table)}
        row = expected.get(dataset, {}).get(split, Expected()).model_dump()
        checks = [actual[key] == value for key, value in row.items() if value is not None]
        rows.append(
            {
                "dataset": dataset,
                "split": split,
                **actual,
                **{f"expected_{key}": value for key, value in row.items()},
                "matches": ("yes" if all(checks) else "no") if checks else "",
            }
        )
    table = pd.DataFrame(rows)
    return table.astype({"expected_tasks": "Int64", "expected_instances": "Int64"})


def leaks(splits: Splits) -> pd.DataFrame:
    """List every unseen task with the training tasks that share its source.

    The training split of each data set must be there. Splits whose tasks are training tasks, such
    as held-out conversations, are not listed.

    Returns
    -------
    Columns dataset, split, task, source, instances, training_tasks (how many share the source),
    shared_with (their names, joined by `;`).
    """
    rows = []
    for (dataset, split), table in splits.items():
        if split == "train":
            continue
        train = splits[dataset, "train"].drop_duplicates()
        if set(table["task"]) & set(train["task"]):
            continue
        for (task, source), part in table.groupby(["task", "source"]):
            shared = sorted(train.loc[train["source"] == source, "task"])
            rows.append((dataset, split, task, source, len(part), len(shared), ";".join(shared)))
    columns = ["dataset", "split", "task", "source", "instances", "training_tasks", "shared_with"]
    return pd.DataFrame(rows, columns=columns)
