"""The paired comparison: by hand, against SciPy, and what is corrected over what."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import Runs, noisy, run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.holm import holm
from nearfirst.figures.comparison.paired import paired_comparison

STEPS = (0, 10, 20, 30)
LABELS = {"NFT": -0.5, "RT": 0.0, "FFT": 0.3}
TASKS = [f"task-{i % 6}" for i in range(30)]


def compared(runs: Runs, reference: str = "NFT", **changes: Any) -> pd.DataFrame:
    arguments = {"confidence": 0.95, "resamples": 200, "seed": 0, **changes}
    return paired_comparison(runs, reference, **arguments)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return noisy(LABELS, seeds=3, steps=STEPS, tasks=TASKS)


def test_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (9, 9), 10: (3, 2), 20: (2, 2)}),
        ("RT", 1): run({0: (9, 9), 10: (3, 2), 20: (1, 1)}),
        ("NFT", 1): run({20: (1, 2), 0: (0, 9), 10: (1, 3)}),
        ("NFT", 0): run({0: (5, 5), 10: (1, 2), 20: (0, 3)}),
    }
    table = compared(runs).set_index("steps")
    assert table.columns.tolist() == [
        *("comparison", "metric", "difference", "low", "high", "p_value", "p_crossed"),
        *("p_windows", "p_adjusted", "instances_lower", "seeds_lower", "seeds", "instances"),
        *("tasks", "units", "confidence"),
    ]
    assert set(table["comparison"]) == {"NFT-RT"}
    # Differences (a, b) of seeds 0 and 1: step 10: (-2, 0), (-2, 1); step 20: (-2, 1), (0, 1).
    assert table.index.tolist() == ["10", "20", "10-20"]
    # Means over both steps: seed 0 (-2, 0.5), seed 1 (-1, 1); so -0.75 and 0.
    assert table["difference"].tolist() == [-0.75, 0.0, -0.375]
    assert table["instances_lower"].tolist() == [0.5, 0.5, 0.5]
    assert table["seeds_lower"].tolist() == [1.0, 0.5, 0.5]
    assert (table[["seeds", "instances"]] == 2).to_numpy().all()


def test_against_wilcoxon(runs: Runs) -> None:
    table = compared(runs)
    assert table["comparison"].tolist() == ["NFT-RT"] * 4 + ["NFT-FFT"] * 4

    def means(label: str) -> "pd.Series[float]":
        its = [one.values.loc[20] for (name, _), one in runs.items() if name == label]
        return pd.concat(its, axis=1).mean(axis=1)

    for other in ("RT", "FFT"):
        row = table[(table["comparison"] == f"NFT-{other}") & (table["steps"] == "20")].iloc[0]
        assert row["p_value"] == pytest.approx(stats.wilcoxon(means("NFT"), means(other)).pvalue)
        assert row["difference"] == pytest.approx((means("NFT") - means(other)).mean())


def test_the_bootstrap_interval(runs: Runs) -> None:
    table = compared(runs)
    assert ((table["low"] < table["difference"]) & (table["difference"] < table["high"])).all()
    pd.testing.assert_frame_equal(table, compared(runs))
    assert (table["low"] != compared(runs, seed=1)["low"]).all()
    narrow = compared(runs, confidence=0.5)
    assert ((table["low"] < narrow["low"]) & (narrow["high"] < table["high"])).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for trial in range(200):
        generator = np.random.default_rng(trial)
        runs = {(label, 0): run({10: generator.normal(size=40)}) for label in ("NFT", "RT")}
        row = compared(runs, confidence=0.9).iloc[0]
        covered += row["low"] <= 0 <= row["high"]
    assert 165 <= covered <= 195


def test_equal_runs() -> None:
    one = noisy({"NFT": 0.0}, seeds=1)["NFT", 0]
    table = compared({("NFT", 0): one, ("RT", 0): one})
    assert set(table["p_value"]) == {1.0}
    rest = table[["difference", "low", "high", "instances_lower", "seeds_lower"]]
    assert (rest == 0).to_numpy().all()


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
    mixed = {(label, seed): runs[label, seed] for label in labels for seed in (1, 0)}
    by = ["comparison", "steps"]
    pd.testing.assert_frame_equal(
        *(compared(its).sort_values(by, ignore_index=True) for its in (mixed, runs))
    )


def test_only_the_steps_that_all_have_are_compared() -> None:
    runs = {
        ("NFT", 0): run({0: (9,), 10: (1,), 20: (2,), 30: (5,)}),
        ("RT", 0): run({0: (9,), 10: (2,), 15: (0,), 20: (4,)}),
        ("FFT", 0): run({0: (9,), 10: (3,), 20: (3,), 40: (1,)}),
    }
    table = compared(runs)
    assert table["steps"].tolist() == ["10", "20", "10-20"] * 2
    assert table["difference"].tolist() == [-1, -2, -1.5, -2, -1, -1.5]
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
    # Corrected values depend on all comparisons.
    raw = [name for name in table if name not in ("p_windows", "p_adjusted")]
    pd.testing.assert_frame_equal(table.loc[with_seeds, raw], expected.loc[with_seeds, raw])
    # Two single runs are one pair, not three.
    assert set(table[~with_seeds]["seeds"]) <= {1}
    assert set(table[with_seeds]["seeds"]) == {3}


def test_a_comparison_needs_the_reference_pairs_of_seeds_and_equal_instances(runs: Runs) -> None:
    with pytest.raises(InputError, match="reference 'XYZ'"):
        compared(runs, "XYZ")
    fewer = {key: one for key, one in runs.items() if key != ("RT", 1)}
    with pytest.raises(InputError, match=r"RT has seeds \[0, 2\], but NFT \[0, 1, 2\]"):
        compared(fewer)
    single = {("NFT", 0): runs["NFT", 0], ("RT", 2): runs["RT", 2]}
    with pytest.raises(InputError, match=r"RT has seeds \[2\], but NFT \[0\]"):
        compared(single)
    other = {**runs, ("other", 0): run({0: (1,), 10: (1,)})}
    with pytest.raises(InputError, match=r"NFT \(seed 0\) and other \(seed 0\) cannot be compared"):
        compared(other)


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
    # A resample contains one task only, or all of them, and anything between.
    assert 1 <= row["low"] < mean < row["high"] <= 14 / 3
    assert row[["units", "tasks", "instances"]].tolist() == ["task", 3, 6]


def test_tasks_that_differ_as_wholes_show_less_than_their_instances() -> None:
    shifts = np.array([-2.0, 1, 0.5, -1, 0.2, 0.1])[[int(task[-1]) for task in TASKS]]
    runs = noisy({"NFT": 0.0, "RT": 0.0}, seeds=3, tasks=TASKS)
    for seed in range(3):
        shifted = runs["NFT", seed].values + shifts
        losses = {step: shifted.loc[step].tolist() for step in shifted.index}
        runs["NFT", seed] = run(losses, TASKS)
    ours, theirs = compared(runs, units="task"), compared(runs)
    assert (ours["p_crossed"] > theirs["p_crossed"]).all()
    assert (ours["high"] - ours["low"] > theirs["high"] - theirs["low"]).all()
    assert ours["difference"].tolist() == theirs["difference"].tolist()


def test_a_test_set_of_one_task_has_instances_as_units() -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=2)
    pd.testing.assert_frame_equal(compared(runs, units="task"), compared(runs))
