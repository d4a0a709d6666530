"""Gains on several sets, by hand, and sets that cannot be compared."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.kinds.query_gap import Settings
from nearfirst.figures.query_gap import query_gap
from nearfirst.figures.run import Run
from nearfirst.figures.settings import ComparisonSettings

STEPS, TASKS = [0, 4, 8], ["a", "b", "c", "d"]


FALLS = np.array([0.9, 0.9, 1, 1, 1, 1, 1.05, 1.15])


def run(prefix: str, less: float) -> Run:
    """Make losses of two instances per task, lowered after step 0 by about `less`."""
    ids = [f"{prefix}-{task}-{i}" for task in TASKS for i in range(2)]
    task = pd.Series(list(np.repeat(TASKS, 2)), index=ids)
    fall = less * FALLS
    values = np.array([np.full(8, 3.0), 2 - fall, 1 - 2 * fall])
    frame = pd.DataFrame(values, index=pd.Index(STEPS, name="step"), columns=ids)
    return Run(frame, task, pd.Series([1] * 7 + [3], index=ids))


def runs(prefix: str, gain: float) -> dict[tuple[str, int], Run]:
    return {("NFT", 0): run(prefix, gain), ("RT", 0): run(prefix, 0.0)}


def test_gains_and_gaps_by_hand() -> None:
    sets = {"in sample": runs("q", 0.3), "held out": runs("t", 0.1), "elsewhere": runs("e", -0.2)}
    table = query_gap(sets, "NFT", ComparisonSettings(resamples=200))
    means = table.set_index(["arrangement", "step"])["mean"]
    for name, at_4 in {"in sample": 0.3, "elsewhere": -0.2, "in sample − elsewhere": 0.5}.items():
        assert means[name].to_dict() == pytest.approx({4: at_4, 8: 2 * at_4})
    assert ((table["low"] < table["mean"]) & (table["mean"] < table["high"])).all()
    over = table.groupby("arrangement")["over_run"].first()
    assert over["held out"] == pytest.approx(0.15)
    paired = paired_comparison(sets["held out"], "NFT", ComparisonSettings(resamples=200)).iloc[0]
    row = table[table["arrangement"] == "held out"].iloc[0]
    assert row[["over_run_low", "over_run_high"]].tolist() == [-paired["high"], -paired["low"]]
    assert (row["p_value"], row["n"], row["instances"]) == (paired["p_value"], 1, 8)
    figure = Settings(sets={"in sample": "specialist-1", "held out": "specialist-0"})
    assert "Gain, held out: 0.15 over the run" in figure.full_caption(table)


def test_gains_are_weighted_as_curves_and_gaps_count_each_task_once() -> None:
    sets = {"one": runs("q", 0.3), "two": runs("t", 0.1)}
    table = query_gap(sets, "NFT", ComparisonSettings(), weighting="token")
    means = table.set_index(["arrangement", "step"])["mean"]
    # The last of the eight instances has three label tokens, the others one.
    assert means["one", 4] == pytest.approx(0.3 * (FALLS.sum() + 2 * 1.15) / 10)
    assert means["one − two", 4] == pytest.approx(0.2 * (0.9 + 1 + 1 + (1.05 + 3 * 1.15) / 4) / 4)


def test_each_order_has_a_gain_of_its_own() -> None:
    orders = {**runs("q", 0.3), ("FFT", 0): run("q", -0.3)}
    table = query_gap({"one": orders}, "NFT", ComparisonSettings())
    means = table.set_index(["arrangement", "step"])["mean"]
    assert means.to_dict() == pytest.approx(
        {
            **{("one, NFT-RT", 4): 0.3, ("one, NFT-RT", 8): 0.6},
            **{("one, NFT-FFT", 4): 0.6, ("one, NFT-FFT", 8): 1.2},
        }
    )


def test_a_part_of_the_first_set_is_counted_and_one_task_has_no_gap() -> None:
    first = runs("q", 0.3)
    part = {key: each.select(np.arange(8) < 2) for key, each in first.items()}
    table = query_gap({"one": first, "part": part}, "NFT", ComparisonSettings())
    assert set(table["panel"]) == {"Gain"}
    assert table.groupby("arrangement")["shared"].first().to_dict() == {"one": 0, "part": 2}


@pytest.mark.parametrize("unit", ["task", "conversation"])
def test_a_score_that_rises_is_a_gain_and_other_tasks_are_samples_of_their_own(unit: str) -> None:
    other = {key: replace(it, task=it.task + "2", unit=unit) for key, it in runs("t", 0.1).items()}
    table = query_gap({"one": runs("q", 0.3), "two": other}, "NFT", ComparisonSettings(), "rougeL")
    means = table.set_index(["arrangement", "step"])["mean"]
    assert means["one", 4] == pytest.approx(-0.3)
    assert means["one − two", 4] == pytest.approx(-0.3 + 0.1)
    # Welch's standard error at step 4, 8 and 4 or 8 units: gains are 0.9, 1 and 1.1 of the mean.
    gap = table[table["arrangement"] == "one − two"].iloc[0]
    gains = [0.3 * np.array([0.9, 1, 1, 1.1]), 0.1 * np.array([0.9, 1, 1, 1.1])]
    if unit == "conversation":
        gains[1] = 0.1 * FALLS
    error = np.sqrt(sum(gain.var(ddof=1) / len(gain) for gain in gains))
    reach = stats.t.ppf(0.975, sum(map(len, gains)) - 2) * error
    assert gap["high"] - gap["mean"] == pytest.approx(reach)


def test_two_sets_with_the_same_instances() -> None:
    sets = {"in sample": runs("q", 1), "held out": runs("q", 1)}
    with pytest.raises(InputError, match="'held out' has the same instances as 'in sample'"):
        query_gap(sets, "NFT", ComparisonSettings())
