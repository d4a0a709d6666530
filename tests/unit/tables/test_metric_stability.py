"""Noise of metrics relative to their change: by hand, by simulation, and rejected input."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import Runs, run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.metrics import MetricName
from nearfirst.tables.metric_stability import noise, stability
from nearfirst.tables.settings import StabilitySettings

EVEN = np.arange(0, 210, 10)
UNEVEN = np.array([0, 10, 20, 30, 40, 50, 60, 62])


def curve(values: Mapping[int, float], seed: int = 0) -> Runs:
    """Return a run of two instances whose mean is this curve."""
    return {("niv2", seed): run({step: (mean - 1, mean + 1) for step, mean in values.items()})}


def row_of(values: Mapping[int, float], **settings: Any) -> pd.Series:
    """Return the row of a single run."""
    return stability({"loss": curve(values)}, StabilitySettings(**settings)).iloc[0]


def test_noise_between_uneven_steps_by_hand() -> None:
    # Steps 0, 10, 40, 50: the weights of the neighbours are ¾ and ¼, then ¼ and ¾, and
    # c² = 1 / (1 + 10/16). The differences are 0.75 · 1 + 0.25 · 1 − 3 and 0.25 · 3 + 0.75 · 5 − 1.
    expected = 1.4826 * (2 + 3.5) / 2 / np.sqrt(26 / 16)
    assert noise(np.array([0, 10, 40, 50]), np.array([1.0, 3, 1, 5])) == pytest.approx(expected)


@pytest.mark.parametrize("steps", [EVEN, UNEVEN])
def test_a_straight_line_has_no_noise(steps: np.ndarray) -> None:
    assert noise(steps, 3 - 0.01 * steps) == 0
    assert noise(steps, np.full(len(steps), 2.5)) == 0


def test_a_score_that_seldom_moves_is_still_noisy() -> None:
    # Most second differences are zero: only ½, −1, ½ of the seven are not.
    means = np.array([2.0, 2, 2, 2, 3, 2, 2, 2, 2])
    assert noise(np.arange(9), means) == pytest.approx(np.sqrt(2 / 3 * 1.5 / 7))


FALL = {0: 4.0, 10: 2.0, 20: 1.0, 30: 1.4, 40: 0.9, 50: 1.1, 60: 1.0}


def test_by_hand() -> None:
    row = row_of(FALL)
    assert (row["dataset"], row["metric"], row["seed"]) == ("niv2", "loss", "0")
    assert row[["start", "end", "change"]].tolist() == pytest.approx([4, 1, -3])
    # Second differences 0.5, 0.7, −0.45, 0.35, −0.15.
    expected = 1.4826 * np.sqrt(2 / 3) * 0.45
    assert row["noise"] == pytest.approx(expected)
    assert row["relative_noise"] == pytest.approx(expected / 3)
    # 90 % of the fall is at 1.3: first below at 20, above again at 30.
    assert row["step_90"] == 20
    assert row[["n", "checkpoints", "instances"]].tolist() == [1, 7, 2]
    assert row[["relative_noise_low", "step_90_high"]].isna().all()


def test_the_end_is_a_mean_over_checkpoints() -> None:
    assert row_of(FALL, end_checkpoints=1)["end"] == 1.0
    assert row_of(FALL, end_checkpoints=6)["end"] == pytest.approx(7.4 / 6)


def test_a_score_rises_and_is_shown_from_0_to_100() -> None:
    runs = {("p3", 0): run({0: (0, 0), 10: (1, 0), 20: (0, 1), 30: (1, 1), 40: (0, 1)})}
    row = stability({"exact_match": runs}, StabilitySettings(end_checkpoints=1)).iloc[0]
    assert row[["start", "end", "change", "step_90"]].tolist() == [0, 50, 50, 10]
    assert row["noise"] == pytest.approx(100 * 1.4826 * np.sqrt(2 / 3) * 0.25)


@pytest.mark.parametrize("height", [0.0, 1.1, 33.3])
def test_no_change_at_all(height: float) -> None:
    row = row_of(dict.fromkeys([0, 10, 20, 30, 37], height))
    assert (row["noise"], row["change"], row["relative_noise"]) == (0, 0, np.inf)
    assert np.isnan(row["step_90"])


def test_over_seeds() -> None:
    later = {**FALL, 20: 1.6, 30: 1.1, 50: 1.3}
    curves = curve(FALL, 0) | curve(later, 1)
    other = {("p3", 1): curves["niv2", 0]}
    metrics: dict[MetricName, Runs] = {"loss": curves | other, "reward": other}
    table = stability(metrics, StabilitySettings(confidence=0.9))
    assert table["seed"].tolist() == ["0", "1", "all", "1", "all", "1", "all"]
    assert table["metric"].tolist() == ["loss"] * 5 + ["reward"] * 2
    assert table["dataset"].tolist() == ["niv2"] * 3 + ["p3"] * 4
    by_seed, mean = table.iloc[:2], table.iloc[2]
    for name in ("start", "end", "change", "noise", "relative_noise", "step_90"):
        assert mean[name] == pytest.approx(by_seed[name].mean())
    assert mean["n"] == 2
    for name in ("relative_noise", "step_90"):
        values = by_seed[name].to_numpy(dtype=float)
        low, high = stats.t.interval(0.9, 1, values.mean(), stats.sem(values))
        bounds = mean[[f"{name}_low", f"{name}_high"]].tolist()
        assert bounds == pytest.approx([max(low, 0), high])
    alone = table.iloc[4]
    assert alone["n"] == 1
    assert alone[["relative_noise_low", "step_90_high"]].isna().all()


def test_a_curve_that_begins_late_is_refused() -> None:
    with pytest.raises(InputError, match="loss of niv2, seed 0: it begins at step 10"):
        row_of({step: 1.0 + step for step in (10, 20, 30, 40)})


def test_few_checkpoints_have_no_noise() -> None:
    row = row_of({0: 3.0, 10: 2.0, 20: 1.0})
    # The end is the mean of what comes after the start.
    assert (row["start"], row["end"], row["step_90"]) == (3.0, 1.5, 20)
    assert row[["noise", "relative_noise"]].isna().all()
