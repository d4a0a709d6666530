"""Table 4, and which unseen tasks share a source with a training task."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SOURCES, write_table
from nearfirst.figures.catalogue import Expected
from nearfirst.tables.splits import leaks, read_splits, sizes

Program = Callable[..., subprocess.CompletedProcess[str]]


def table(**sources: str) -> pd.DataFrame:
    """Return the tasks and sources of a split: `task=source`, three instances of each task."""
    rows = [(task, source) for task, source in sources.items() for _ in range(3)]
    return pd.DataFrame(rows, columns=["task", "source"])


SPLITS = {
    ("flan", "train"): table(quoref_a="quoref", quoref_b="quoref", glue_x="glue"),
    ("flan", "specialist-0"): table(quoref_c="quoref", sciq_d="sciq"),
    ("chat", "train"): table(talk="talk"),
    ("chat", "heldout"): table(talk="talk"),
}


def test_sizes_and_what_does_not_match() -> None:
    expected = {
        "flan": {"train": Expected(tasks=3, instances=9), "specialist-0": Expected(instances=7)}
    }
    found = sizes(SPLITS, expected).set_index(["dataset", "split"])
    assert found.loc["flan", "train"].tolist() == [3, 9, 3, 9, "yes"]
    assert found.loc[("flan", "specialist-0"), "matches"] == "no"
    assert found.loc[("flan", "specialist-0"), "instances"] == 6
    assert found.loc[("chat", "train"), "matches"] == ""


def test_an_unseen_task_leaks_through_its_source() -> None:
    found = leaks(SPLITS)
    assert found[["task", "source", "training_tasks", "shared_with"]].values.tolist() == [
        ["quoref_c", "quoref", 2, "quoref_a;quoref_b"],
        ["sciq_d", "sciq", 0, ""],
    ]
    assert set(found["dataset"]) == {"flan"}, "held-out conversations have no unseen task"


def write(path: Path, rows: pd.DataFrame) -> Path:
    columns = {
        "id": [str(i) for i in range(len(rows))],
        "task": rows["task"],
        "messages": [[]] * len(rows),
        "references": [[]] * len(rows),
        "source": rows["source"],
    }
    write_table(pa.table(columns, schema=SOURCES), path)
    return path


def test_the_programs(program: Program, tmp_path: Path) -> None:
    files = [
        ("--split", "flan", name, str(write(tmp_path / f"{name}.parquet", SPLITS["flan", name])))
        for name in ("train", "specialist-0")
    ]
    flags = [part for flag in files for part in flag]
    wanted = '{"expected": {"flan": {"train": {"tasks": 4, "instances": 9}}}}'
    done = program(
        *("table4.py", *flags, "--settings", wanted, "--output", tmp_path / "table4.csv"),
    )
    assert done.returncode == 0, done.stderr
    assert "flan train: 3 tasks and 9 instances, expected 4 and 9" in done.stderr
    done = program("leakage.py", *flags, "--output", tmp_path / "leakage.csv")
    assert done.returncode == 0, done.stderr
    assert "1 of 2 unseen tasks share a source" in done.stderr
    assert pd.read_csv(tmp_path / "leakage.csv")["training_tasks"].tolist() == [2, 0]


def test_a_split_given_twice_or_without_sources(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", SPLITS["flan", "train"])
    with pytest.raises(InputError, match="flan train is given twice"):
        read_splits([("flan", "train", str(path))] * 2)
    bare = tmp_path / "bare.parquet"
    write_table(pa.table({"task": ["a"]}), bare)
    with pytest.raises(InputError, match=r"bare\.parquet: column 'source' is missing"):
        read_splits([("flan", "train", str(bare))])


def test_nothing_leaks_into_a_split_only_if_the_training_tasks_are_known() -> None:
    with pytest.raises(InputError, match="flan train is missing"):
        leaks({("flan", "specialist-0"): SPLITS["flan", "specialist-0"]})
