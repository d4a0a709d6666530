"""Table 4, and which unseen tasks share a source with a training task."""

import pandas as pd
import pytest

from nearfirst.common.errors import InputError
from nearfirst.tables.settings import Expected
from nearfirst.tables.splits import leaks, sizes


def table(**sources: str) -> pd.DataFrame:
    """Return a split of tasks and their sources, with three instances of each task."""
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
    rows = sizes(SPLITS, expected).set_index(["dataset", "split"])
    assert rows.loc["flan", "train"].tolist() == [3, 9, 3, 9, "yes"]
    assert rows.loc[("flan", "specialist-0"), ["instances", "matches"]].tolist() == [6, "no"]
    assert rows.loc[("chat", "train"), "matches"] == ""


def test_an_unseen_task_leaks_through_its_source() -> None:
    rows = leaks(SPLITS)
    assert rows[["task", "source", "training_tasks", "shared_with"]].values.tolist() == [
        ["quoref_c", "quoref", 2, "quoref_a;quoref_b"],
        ["sciq_d", "sciq", 0, ""],
    ]
    assert set(rows["dataset"]) == {"flan"}, "held-out conversations have no unseen task"


def test_without_the_training_split_leaks_are_unknown() -> None:
    with pytest.raises(InputError, match="flan specialist-0: give the table of the split"):
        leaks({("flan", "specialist-0"): SPLITS["flan", "specialist-0"]})
