"""Curves, intervals and paired comparisons by hand and against SciPy."""

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import noisy, run, write_runs
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.comparison.summary import summary
from nearfirst.figures.curves import curves, mean_curve, mean_interval, task_means
from nearfirst.figures.run import Run

Program = Callable[..., subprocess.CompletedProcess[str]]


# Means and intervals -------------------------------------------------------------------------


def test_mean_curve_by_hand() -> None:
    one = run({10: (1, 4), 0: (2, 3)}, tokens=(1, 2))
    assert mean_curve(one, "instance").to_dict() == {0: 2.5, 10: 2.5}
    assert mean_curve(one, "token").to_dict() == pytest.approx({0: 8 / 3, 10: 3.0})


def test_the_loss_of_a_task_is_a_mean_over_its_own_instances() -> None:
    one = run({0: (1, 5, 2), 10: (3, 3, 9)}, ("u", "t", "u"), (1, 7, 3))
    assert task_means(one, "instance").to_dict("index") == {
        0: {"t": 5.0, "u": 1.5},
        10: {"t": 3.0, "u": 6.0},
    }
    assert task_means(one, "token").to_dict("index") == {
        0: {"t": 5.0, "u": 1.75},
        10: {"t": 3.0, "u": 7.5},
    }


@given(
    st.lists(st.floats(0.1, 10), min_size=2, max_size=8),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_mean_interval_is_students(values: list[float], confidence: float) -> None:
    found = mean_interval(np.array(values), confidence)
    error = stats.sem(values)
    expected = (np.mean(values),) * 2
    if error > 0:
        expected = stats.t.interval(confidence, len(values) - 1, np.mean(values), error)
    assert found == pytest.approx((np.mean(values), *expected), rel=1e-9, abs=1e-9)


def test_intervals_of_many_values_are_those_of_each() -> None:
    values = np.random.default_rng(0).normal(size=(4, 3))
    together = mean_interval(values, 0.9)
    for column in range(3):
        alone = mean_interval(values[:, column], 0.9)
        assert [part[column] for part in together] == pytest.approx(alone)


def test_one_value_has_no_interval() -> None:
    mean, low, high = mean_interval(np.array([2.0]), 0.95)
    assert mean == 2.0
    assert np.isnan([low, high]).all()


def test_curves_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (1, 3), 10: (1, 1)}),
        ("NFT", 0): run({0: (0, 0), 10: (0, 2)}),
        ("RT", 7): run({0: (4, 4), 10: (1, 1)}),
    }
    table = curves(runs, "instance", 0.9)
    assert table.columns[:6].tolist() == ["arrangement", "step", "mean", "low", "high", "n"]
    # Arrangements come in the order given: it is the legend's.
    assert table[["arrangement", "step", "mean", "n"]].to_numpy().tolist() == [
        *(["RT", 0, 3.0, 2], ["RT", 10, 1.0, 2], ["NFT", 0, 0.0, 1], ["NFT", 10, 1.0, 1]),
    ]
    reach = stats.t.ppf(0.95, 1) * 1.0  # seeds 2 and 4: their mean has a standard error of 1
    assert table["low"][0] == pytest.approx(3.0 - reach)
    assert table["high"][0] == pytest.approx(3.0 + reach)
    assert table.loc[2:, ["low", "high"]].isna().to_numpy().all()
    assert set(table["instances"]) == {2}
    assert set(table["confidence"]) == {0.9}


def test_arrangements_may_differ_in_steps_and_seeds_but_not_in_instances() -> None:
    runs = {
        ("min", 0): run({0: (1, 3), 5: (1, 1)}),
        ("RT", 0): run({0: (1, 3), 10: (2, 2), 20: (0, 2)}),
        ("RT", 1): run({0: (1, 3), 10: (2, 4), 20: (0, 0)}),
    }
    table = curves(runs, "instance", 0.95)
    assert table[["arrangement", "step", "mean", "n"]].to_numpy().tolist() == [
        *(["min", 0, 2.0, 1], ["min", 5, 1.0, 1]),
        *(["RT", 0, 2.0, 2], ["RT", 10, 2.5, 2], ["RT", 20, 0.5, 2]),
    ]
    assert table["low"].isna().tolist() == [True, True, False, False, False]
    runs["other", 0] = run({0: (1,), 10: (1,)})
    for check in (
        lambda: curves(runs, "instance", 0.95),
        lambda: paired_comparison(runs, "RT", 0.95, 100, 0),
    ):
        with pytest.raises(InputError, match=r"\('min', 0\) and \('other', 0\).*id 'b'"):
            check()


def test_data_sets_have_instances_of_their_own() -> None:
    small, large = run({0: (1,), 10: (2,)}), run({0: (1, 3), 10: (1, 1)})
    runs: dict[tuple[str, int], Run] = {
        ("P3", 0): dataclasses.replace(small, left_out=3),
        ("NIV2", 0): dataclasses.replace(large, left_out=1),
    }
    table = curves(runs, "instance", 0.95, by="dataset")
    assert table.columns.tolist() == [
        *("dataset", "step", "mean", "low", "high", "n", "instances", "confidence", "left_out")
    ]
    assert table[["dataset", "step", "mean", "instances", "left_out"]].to_numpy().tolist() == [
        *(["P3", 0, 1.0, 1, 3], ["P3", 10, 2.0, 1, 3]),
        *(["NIV2", 0, 2.0, 2, 1], ["NIV2", 10, 1.0, 2, 1]),
    ]


# Paired comparison ---------------------------------------------------------------------------


def test_paired_comparison_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (9, 9), 10: (3, 2), 20: (2, 2)}),
        ("RT", 1): run({0: (9, 9), 10: (3, 2), 20: (1, 1)}),
        ("NFT", 1): run({20: (1, 2), 0: (0, 9), 10: (1, 3)}),
        ("NFT", 0): run({0: (5, 5), 10: (1, 2), 20: (0, 3)}),
    }
    table = paired_comparison(runs, "NFT", 0.95, 200, 0).set_index("steps")
    assert set(table["comparison"]) == {"NFT-RT"}
    # Differences (a, b) of seeds 0 and 1: step 10: (-2, 0), (-2, 1); step 20: (-2, 1), (0, 1).
    assert table.index.tolist() == ["10", "20", "10-20"]
    # Means over both steps: seed 0 (-2, 0.5), seed 1 (-1, 1); so -0.75 and 0.
    assert table["difference"].tolist() == [-0.75, 0.0, -0.375]
    assert table["instances_lower"].tolist() == [0.5, 0.5, 0.5]
    assert table["seeds_lower"].tolist() == [1.0, 0.5, 0.5]
    assert (table[["seeds", "instances"]] == 2).to_numpy().all()


def test_paired_comparison_against_wilcoxon() -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0, "FFT": 0.3}, seeds=3)
    table = paired_comparison(runs, "NFT", 0.95, 500, 0)
    assert table["comparison"].tolist() == ["NFT-RT"] * 3 + ["NFT-FFT"] * 3

    def means(label: str, step: int) -> "pd.Series[float]":
        its = [one.values.loc[step] for (name, _), one in runs.items() if name == label]
        return pd.concat(its, axis=1).mean(axis=1)

    for other in ("RT", "FFT"):
        row = table[(table["comparison"] == f"NFT-{other}") & (table["steps"] == "20")].iloc[0]
        ours, theirs = means("NFT", 20), means(other, 20)
        assert row["p_value"] == pytest.approx(stats.wilcoxon(ours, theirs).pvalue)
        assert row["difference"] == pytest.approx((ours - theirs).mean())


def test_the_bootstrap_interval() -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=3)
    table = paired_comparison(runs, "NFT", 0.95, 500, 0)
    assert ((table["low"] < table["difference"]) & (table["difference"] < table["high"])).all()
    pd.testing.assert_frame_equal(table, paired_comparison(runs, "NFT", 0.95, 500, 0))
    other = paired_comparison(runs, "NFT", 0.95, 500, 1)
    assert (table["low"] != other["low"]).all()
    narrow = paired_comparison(runs, "NFT", 0.5, 500, 0)
    assert (table["low"] < narrow["low"]).all()
    assert (narrow["high"] < table["high"]).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for trial in range(200):
        generator = np.random.default_rng(trial)
        runs = {(label, 0): run({10: generator.normal(size=40)}) for label in ("NFT", "RT")}
        row = paired_comparison(runs, "NFT", 0.9, 200, 0).iloc[0]
        covered += row["low"] <= 0 <= row["high"]
    assert 165 <= covered <= 195


def test_equal_runs() -> None:
    one = noisy({"NFT": 0.0}, seeds=1)["NFT", 0]
    table = paired_comparison({("NFT", 0): one, ("RT", 0): one}, "NFT", 0.95, 100, 0)
    assert set(table["p_value"]) == {1.0}
    rest = table[["difference", "low", "high", "instances_lower", "seeds_lower"]]
    assert (rest == 0).to_numpy().all()


def test_only_the_steps_that_all_have_are_compared() -> None:
    runs = {
        ("NFT", 0): run({0: (9,), 10: (1,), 20: (2,), 30: (5,)}),
        ("RT", 0): run({0: (9,), 10: (2,), 15: (0,), 20: (4,)}),
        ("FFT", 0): run({0: (9,), 10: (3,), 20: (3,), 40: (1,)}),
    }
    table = paired_comparison(runs, "NFT", 0.95, 100, 0)
    assert table["steps"].tolist() == ["10", "20", "10-20"] * 2
    assert table["difference"].tolist() == [-1, -2, -1.5, -2, -1, -1.5]
    runs["RT", 0] = run({0: (9,), 15: (0,)})
    with pytest.raises(InputError, match="their last steps are: NFT 30, RT 15, FFT 40"):
        paired_comparison(runs, "NFT", 0.95, 100, 0)


@pytest.mark.parametrize("reference", ["NFT", "RT"])
def test_a_single_run_is_paired_with_every_seed(reference: str) -> None:
    several = noisy({"NFT": -0.5, "FFT": 0.2, "RT": 0.0}, seeds=3)
    runs = {("NFT", 0): several["NFT", 0], ("FFT", 1): several["FFT", 1]}
    runs |= {key: one for key, one in several.items() if key[0] == "RT"}
    table = paired_comparison(runs, reference, 0.95, 200, 3)
    repeated = {
        (label, seed): runs.get((label, seed), one) for (label, seed), one in several.items()
    }
    for seed in range(3):
        repeated["NFT", seed], repeated["FFT", seed] = runs["NFT", 0], runs["FFT", 1]
    expected = paired_comparison(repeated, reference, 0.95, 200, 3)
    with_seeds = table["comparison"].str.contains("RT")
    # Corrected values depend on all comparisons.
    raw = [name for name in table if name not in ("p_windows", "p_adjusted")]
    pd.testing.assert_frame_equal(table.loc[with_seeds, raw], expected.loc[with_seeds, raw])
    # Two single runs are one pair, not three.
    assert set(table[~with_seeds]["seeds"]) <= {1}
    assert set(table[with_seeds]["seeds"]) == {3}


def test_a_comparison_needs_a_step_after_0_the_reference_and_pairs_of_seeds() -> None:
    start = run({0: (1,)})
    with pytest.raises(InputError, match="after step 0"):
        paired_comparison({("NFT", 0): start, ("RT", 0): start}, "NFT", 0.95, 100, 0)
    runs = noisy({"NFT": 0.0, "RT": 0.0}, seeds=3, instances=4)
    with pytest.raises(InputError, match="XYZ"):
        paired_comparison(runs, "XYZ", 0.95, 100, 0)
    del runs["RT", 1]
    with pytest.raises(InputError, match=r"RT has seeds \[0, 2\], but NFT \[0, 1, 2\]"):
        paired_comparison(runs, "NFT", 0.95, 100, 0)
    single = {("NFT", 0): runs["NFT", 0], ("RT", 2): runs["RT", 2]}
    with pytest.raises(InputError, match=r"RT has seeds \[2\], but NFT \[0\]"):
        paired_comparison(single, "NFT", 0.95, 100, 0)


# Programs ------------------------------------------------------------------------------------


def test_from_losses_to_curves_and_a_comparison(program: Program, tmp_path: Path) -> None:
    runs = noisy({"NFT": -0.5, "RT": 0.0}, seeds=3)
    flags = write_runs(runs, tmp_path, left_out=4)
    done = program("curves.py", *flags, "--output", tmp_path / "curves.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "curves.csv")
    expected = curves(runs, "instance", 0.95)
    pd.testing.assert_frame_equal(table, expected.assign(left_out=4), atol=1e-6)

    output = ("--output", tmp_path / "paired.csv", "--summary", tmp_path / "paired.txt")
    done = program("compare.py", *flags, "--reference", "RT", *output)
    assert done.returncode == 0, done.stderr
    expected = paired_comparison(runs, "RT", 0.95, 2000, 0)
    # CSV keeps six digits, Parquet losses in float32.
    found = pd.read_csv(tmp_path / "paired.csv", dtype={"steps": "str"})
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4, atol=1e-6, check_dtype=False)
    lines = (tmp_path / "paired.txt").read_text().splitlines()
    assert all(lines)
    assert " ".join(lines) == summary(expected, "RT", {"NFT": 3, "RT": 3})


def test_one_seed_has_no_interval_in_the_table(program: Program, tmp_path: Path) -> None:
    flags = write_runs(noisy({"P3": 0.0}, seeds=1), tmp_path)
    done = program("curves.py", *flags, "--by", "dataset", "--output", tmp_path / "curves.csv")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "curves.csv").read_text()
    assert text.startswith("dataset,step,mean,low,high,n,")
    table = pd.read_csv(tmp_path / "curves.csv")
    assert set(table["n"]) == {1}
    assert table[["low", "high"]].isna().to_numpy().all()
