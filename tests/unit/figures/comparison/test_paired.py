"""The paired comparison: by hand, its units, pairs of runs, and bad input."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import Runs, noisy, run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.settings import ComparisonSettings

LABELS = {"NFT": -0.5, "RT": 0.0, "FFT": 0.3}
TASKS = [f"task-{i % 6}" for i in range(30)]


def compared(
    runs: Runs, reference: str = "NFT", weighting: str = "instance", **changes: Any
) -> pd.DataFrame:
    asked = ComparisonSettings(**{"resamples": 200, **changes})
    return paired_comparison(runs, reference, asked, weighting=weighting)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return noisy(LABELS, seeds=3, steps=(0, 10, 20, 30), tasks=TASKS)


def test_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (9, 9), 10: (3, 2), 20: (2, 2)}, "tu"),
        ("RT", 1): run({0: (9, 9), 10: (3, 2), 20: (1, 1)}, "tu"),
        ("NFT", 1): run({20: (1, 2), 0: (0, 9), 10: (1, 3)}, "tu"),
        ("NFT", 0): run({0: (5, 5), 10: (1, 2), 20: (0, 3)}, "tu"),
    }
    table = compared(runs)
    assert table.columns.tolist() == [
        *("comparison", "metric", "question", "steps", "identical", "difference"),
        *("low", "high", "p_value"),
        *("units_lower", "seeds_lower", "seeds", "instances", "tasks", "units", "confidence"),
    ]
    assert set(table["comparison"]) == {"NFT-RT"}
    # Differences (t, u) of seeds 0 and 1: step 10: (-2, 0), (-2, 1); step 20: (-2, 1), (0, 1).
    assert table[["question", "steps"]].to_numpy().tolist() == [
        *(["run", "10-20"], ["end", "20"], ["checkpoint", "10"], ["checkpoint", "20"])
    ]
    # Means over both steps: seed 0 (-2, 0.5), seed 1 (-1, 1); so -0.75 and 0.
    assert table["difference"].tolist() == [-0.375, 0.0, -0.75, 0.0]
    assert table["units_lower"].tolist() == [0.5] * 4
    assert table["seeds_lower"].tolist() == [0.5, 0.5, 1.0, 0.5]
    assert (table[["seeds", "instances", "tasks"]] == 2).to_numpy().all()


@pytest.mark.parametrize(
    ("contents", "identical"), [("aab", [1, 0]), ("abb", [0, 0]), ("abc", [0, 0]), ("   ", [0, 0])]
)
def test_runs_that_are_the_same_step_by_step(contents: str, identical: list[int]) -> None:
    content = dict(zip(LABELS, contents, strict=True))
    runs = {
        key: dataclasses.replace(run, content=content[key[0]].strip())
        for key, run in noisy(LABELS, seeds=2).items()
    }
    table = compared(runs)
    assert table[table["question"] == "run"]["identical"].tolist() == identical


def test_tasks_are_units_whatever_their_number_of_instances(runs: Runs) -> None:
    one = {key: runs[key] for key in (("NFT", 0), ("RT", 0))}
    row = compared(one).iloc[0]
    per_instance = (one["NFT", 0].values - one["RT", 0].values).loc[10:].mean()
    per_task = per_instance.groupby(one["RT", 0].task).mean()
    expected = stats.ttest_1samp(per_task, 0).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx(tuple(expected))
    flips = stats.permutation_test((per_task,), np.mean, permutation_type="samples")
    assert row["p_value"] == pytest.approx(flips.pvalue)
    assert row[["units", "tasks", "instances"]].tolist() == ["task", 6, 30]


def test_instances_of_the_same_tasks_show_more_than_other_tasks() -> None:
    shifts = np.array([-2.0, 1, 0.5, -1, 0.2, 0.1])[[int(task[-1]) for task in TASKS]]
    runs = noisy({"NFT": 0.0, "RT": 0.0}, seeds=3, tasks=TASKS)
    for seed in range(3):
        each = runs["NFT", seed]
        runs["NFT", seed] = dataclasses.replace(each, values=each.values + shifts)
    by_instance, by_task = compared(runs, units="instance"), compared(runs)
    assert (
        by_task["high"] - by_task["low"] > 1.5 * (by_instance["high"] - by_instance["low"])
    ).all()
    assert by_instance["difference"].tolist() == by_task["difference"].tolist()
    single = {key: run({0: (1, 2), 10: (1, 2)}, "tu") for key in runs}
    with pytest.raises(InputError, match="'instance' needs tasks of two or more test instances"):
        compared(single, units="instance")


def test_conversations_are_units_where_data_have_no_tasks(runs: Runs) -> None:
    apart = {key: dataclasses.replace(each, unit="conversation") for key, each in runs.items()}
    single_task = {
        key: dataclasses.replace(each, task=pd.Series("task", each.task.index))
        for key, each in runs.items()
    }
    conversations, instances = compared(apart), compared(single_task)
    assert set(conversations["units"]) == {"conversation"}
    # A test set of one task cannot speak of others.
    assert set(instances["units"]) == {"instance"}
    numbers = ["difference", "low", "high"]
    pd.testing.assert_frame_equal(conversations[numbers], instances[numbers])


def test_the_level_of_intervals_and_the_seed_of_flips_are_those_of_the_settings(runs: Runs) -> None:
    # Conversations are too many for all flips of their signs.
    apart = {key: dataclasses.replace(each, unit="conversation") for key, each in runs.items()}
    table, narrow, other = (
        compared(apart, **each) for each in ({}, {"confidence": 0.5}, {"seed": 1})
    )
    assert (narrow["high"] - narrow["low"] < (table["high"] - table["low"]) / 2).all()
    numbers = ["difference", "low", "high"]
    pd.testing.assert_frame_equal(other[numbers], table[numbers])
    assert (other["p_value"] != table["p_value"]).any()


def test_weights_are_those_of_the_curves() -> None:
    losses = {"NFT": (1.0, 2, 3), "RT": (2.0, 5, 2)}
    runs = {(name, 0): run({10: row}, "ttu", (1, 4, 5)) for name, row in losses.items()}
    assert compared(runs)["difference"][0] == pytest.approx((-1 - 3 + 1) / 3)
    assert compared(runs, weighting="token")["difference"][0] == pytest.approx((-1 - 12 + 5) / 10)


def test_only_the_steps_that_all_have_are_compared() -> None:
    runs = {
        ("NFT", 0): run({0: (9,), 10: (1,), 20: (2,), 30: (5,)}),
        ("RT", 0): run({0: (9,), 10: (2,), 15: (0,), 20: (4,)}),
        ("FFT", 0): run({0: (9,), 10: (3,), 20: (3,), 40: (1,)}),
    }
    table = compared(runs)
    assert table["steps"].tolist() == ["10-20"] * 2 + ["20"] * 2 + ["10", "20"] * 2
    assert table["difference"].tolist() == [-1.5, -1.5, -2, -1, -1, -2, -2, -1]
    runs["RT", 0] = run({0: (9,), 15: (0,)})
    with pytest.raises(InputError, match=r"after step 0 .* NFT 30, RT 15, FFT 40; lower"):
        compared(runs)


@pytest.mark.parametrize("reference", ["NFT", "RT"])
def test_a_single_run_is_paired_with_every_seed(reference: str) -> None:
    several = noisy({"NFT": -0.5, "FFT": 0.2, "RT": 0.0}, seeds=3)
    single = {"NFT": 0, "FFT": 1}
    runs = {key: one for key, one in several.items() if key[1] == single.get(key[0], key[1])}
    repeated = {key: runs[key[0], single.get(key[0], key[1])] for key in several}
    table, expected = compared(runs, reference), compared(repeated, reference)
    with_seeds = table["comparison"].str.contains("RT")
    raw = ["comparison", "steps", "difference", "units_lower", "seeds_lower", "seeds"]
    pd.testing.assert_frame_equal(table.loc[with_seeds, raw], expected.loc[with_seeds, raw])
    # Two single runs are one pair, not three.
    assert set(table[~with_seeds]["seeds"]) <= {1}
    assert set(table[with_seeds]["seeds"]) == {3}


def test_a_comparison_needs_pairs_of_seeds_and_equal_instances(runs: Runs) -> None:
    fewer = {key: one for key, one in runs.items() if key != ("RT", 1)}
    with pytest.raises(InputError, match=r"RT has seeds \[0, 2\], but NFT has \[0, 1, 2\]"):
        compared(fewer)
    single = {("NFT", 0): runs["NFT", 0], ("RT", 2): runs["RT", 2]}
    with pytest.raises(InputError, match=r"RT has seeds \[2\], but NFT has \[0\]"):
        compared(single)
    other = {**runs, ("other", 0): run({0: (1,), 10: (1,)})}
    with pytest.raises(InputError, match=r"NFT \(seed 0\) and other \(seed 0\) cannot be compared"):
        compared(other)
