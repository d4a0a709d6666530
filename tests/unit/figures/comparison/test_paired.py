"""The paired comparison at every checkpoint: what is corrected over what, and its units."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import Runs, noisy, run
from scipy import stats

from nearfirst.figures.comparison.holm import holm
from nearfirst.figures.comparison.paired import paired_comparison

STEPS = (0, 10, 20, 30)
LABELS = {"NFT": -0.5, "RT": 0.0, "FFT": 0.3}
TASKS = [f"task-{i % 6}" for i in range(30)]


def compared(
    runs: Runs,
    reference: str = "NFT",
    units: Literal["instance", "task"] = "instance",
) -> pd.DataFrame:
    return paired_comparison(runs, reference, 0.95, 200, 0, units=units)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return noisy(LABELS, seeds=3, steps=STEPS, tasks=TASKS)


def test_every_checkpoint_then_their_mean(runs: Runs) -> None:
    table = compared(runs)
    assert table["steps"].tolist() == ["10", "20", "30", "10-30"] * 2
    assert table.columns.tolist() == [
        *("comparison", "metric", "steps", "difference", "low", "high", "p_value", "p_crossed"),
        *("p_windows", "p_adjusted", "instances_lower", "seeds_lower", "seeds", "instances"),
        *("tasks", "units", "confidence"),
    ]
    for _, part in table.groupby("comparison"):
        checkpoints, mean = part["difference"].tolist()[:-1], part["difference"].iloc[-1]
        assert mean == pytest.approx(np.mean(checkpoints))


def test_one_checkpoint_has_no_mean() -> None:
    table = compared(noisy(LABELS, seeds=2, steps=(0, 10)))
    assert table["steps"].tolist() == ["10", "10"]
    assert table["p_windows"].tolist() == table["p_adjusted"].tolist()


def test_corrections_are_over_all_comparisons(runs: Runs) -> None:
    table = compared(runs)
    assert table["p_adjusted"].tolist() == pytest.approx(holm(table["p_crossed"].to_numpy()))
    windows = table["steps"] != "20"
    assert table.loc[windows, "p_windows"].tolist() == pytest.approx(
        holm(table.loc[windows, "p_crossed"].to_numpy())
    )
    assert table.loc[~windows, "p_windows"].isna().all()


def test_swapping_the_reference_turns_the_sign_and_nothing_else(runs: Runs) -> None:
    two = {key: one for key, one in runs.items() if key[0] != "FFT"}
    ours, theirs = compared(two), compared(two, "RT")
    for one, other in (("difference", "difference"), ("low", "high"), ("high", "low")):
        assert ours[one].tolist() == pytest.approx((-theirs[other]).tolist())
    for column in ("p_value", "p_crossed", "p_windows", "p_adjusted"):
        assert ours[column].tolist() == pytest.approx(theirs[column].tolist(), nan_ok=True)
    assert (ours["seeds_lower"] + theirs["seeds_lower"] == 1).all()


@settings(max_examples=6)
@given(st.permutations(list(LABELS)))
def test_the_order_of_comparisons_does_not_matter(labels: list[str]) -> None:
    runs = noisy(LABELS, seeds=2, instances=8)
    keys = ["comparison", "steps"]
    mixed = {(label, seed): runs[label, seed] for label in labels for seed in (1, 0)}
    pd.testing.assert_frame_equal(
        compared(mixed).sort_values(keys, ignore_index=True),
        compared(runs).sort_values(keys, ignore_index=True),
    )


def test_tasks_as_units_by_hand() -> None:
    losses = [3.0, 1, 1, 2, 4, 8]
    one = run({0: losses, 10: losses}, list("xxyzzz"))
    other = run({0: losses, 10: [0.0] * 6}, list("xxyzzz"))
    row = compared({("NFT", 0): one, ("RT", 0): other}, units="task").iloc[0]
    # Means of tasks 2, 1 and 14/3, of 2, 1 and 3 of the 6 instances.
    mean = sum(losses) / 6
    residuals = np.array([2, 1, 3]) * (np.array([2, 1, 14 / 3]) - mean)
    error = np.sqrt(3 / 2 * (residuals**2).sum()) / 6
    assert row["difference"] == pytest.approx(mean)
    assert row["p_crossed"] == pytest.approx(max(2 * stats.t.sf(mean / error, 2), 0.25))
    assert row["p_value"] == pytest.approx(stats.wilcoxon([2, 1, 14 / 3]).pvalue)
    # A resample holds one task only, or all of them, and anything between.
    assert 1 <= row["low"] < mean < row["high"] <= 14 / 3
    assert row[["units", "tasks", "instances"]].tolist() == ["task", 3, 6]


def test_tasks_that_differ_as_wholes_tell_less_than_their_instances() -> None:
    shifts = np.array([-2.0, 1, 0.5, -1, 0.2, 0.1])[[int(task[-1]) for task in TASKS]]
    runs = noisy({"NFT": 0.0, "RT": 0.0}, seeds=3, tasks=TASKS)
    for seed in range(3):
        shifted = runs["NFT", seed].values + shifts
        losses = {step: shifted.loc[step].tolist() for step in shifted.index}
        runs["NFT", seed] = run(losses, TASKS)
    ours, theirs = compared(runs, units="task"), compared(runs)
    assert (ours["p_crossed"] > theirs["p_crossed"]).all()
    width, narrow = ours["high"] - ours["low"], theirs["high"] - theirs["low"]
    assert (width > narrow).all()
    assert ours["difference"].tolist() == theirs["difference"].tolist()


def test_a_test_set_of_one_task_has_instances_as_units() -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=2)
    table = compared(runs, units="task")
    pd.testing.assert_frame_equal(table, compared(runs))
    assert set(table["units"]) == {"instance"}
