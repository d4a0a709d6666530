"""Table 4, and which unseen tasks share a source with a training task."""

import pandas as pd
import pytest

from nearfirst.common.errors import InputError
from nearfirst.tables.settings import Expected
from nearfirst.tables.splits import leaks, sizes


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


def test_nothing_leaks_into_a_split_only_if_the_training_tasks_are_known() -> None:
    with pytest.raises(InputError, match="flan specialist-0: give the table of the split"):
        leaks({("flan", "specialist-0"): SPLITS["flan", "specialist-0"]})
