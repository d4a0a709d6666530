"""The first checkpoint past ε: by hand, with its interval, if it is never passed."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from runs import Runs, run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.tables.generalization import generalization
from nearfirst.tables.settings import GeneralizationSettings


def loss(*performances: float) -> tuple[float, ...]:
    """Return the losses of instances with these performances."""
    return tuple(-float(np.log(value)) for value in performances)


def tabulate(runs: Runs, **settings: object) -> pd.DataFrame:
    return generalization({"fig": runs}, GeneralizationSettings.model_validate(settings))


def test_by_hand() -> None:
    runs = {
        ("NFT", 0): run({0: loss(0.1, 0.3), 10: loss(0.9, 0.3), 20: loss(0.5, 0.3)}),
        ("NFT", 1): run({0: loss(0.1, 0.3), 10: loss(0.2, 0.2), 20: loss(0.9, 0.9)}),
    }
    table = tabulate(runs, threshold=0.5)
    assert table["seed"].tolist() == ["0", "1", "all"]
    # Means: 0.2, 0.6, 0.4 and 0.2, 0.2, 0.9; of both seeds 0.2, 0.4, 0.65.
    assert table["step"].tolist() == [10, 20, 20]
    performance = ["performance_start", "performance_best", "performance_end"]
    assert table[performance].to_numpy() == pytest.approx(
        np.array([[0.2, 0.6, 0.4], [0.2, 0.9, 0.9], [0.2, 0.65, 0.65]])
    )
    assert set(table["instances"]) == {2}
    # Both instances are at 0.9 at step 20, so every resample passes.
    assert table["passes"][1] == 1
    assert (table["low"][1], table["high"][1]) == (20, 20)


def test_the_threshold_itself_is_not_enough() -> None:
    runs = {("RT", 0): run({0: (0.0, 0.0), 10: (0.0, 0.0)})}
    assert tabulate(runs, threshold=0.5)["step"].tolist() == [0, 0]
    half = {("RT", 0): run({0: loss(0.5, 0.5), 10: loss(0.5, 0.5)})}
    performance = float(np.exp(-half["RT", 0].values.to_numpy()[0, 0]))
    never = tabulate(half, threshold=performance)
    assert never[["step", "low", "high"]].isna().to_numpy().all()
    assert never["passes"].tolist() == [0, 0]


def test_a_score_or_a_reward_is_its_own_performance() -> None:
    runs = {("RT", 0): run({0: (-3,), 10: (-2,)})}
    table = tabulate(runs, performance="reward", threshold=-2.5)
    assert table["step"].tolist() == [10, 10]


def test_the_threshold_may_depend_on_the_base_model() -> None:
    runs = {("RT", 0): run({0: loss(0.1, 0.3), 10: loss(0.3, 0.4), 20: loss(0.4, 0.6)})}
    table = tabulate(runs, threshold=None, times_base=2)
    assert table["threshold"].tolist() == pytest.approx([0.4, 0.4])
    assert table["step"].tolist() == [20, 20]
    # The mean performance of the base models of all runs: 0.2 and 0.3.
    two = {**runs, ("NFT", 1): run({0: loss(0.2, 0.4), 10: loss(0.6, 0.6), 20: loss(0.6, 0.6)})}
    table = tabulate(two, threshold=None, times_base=2.2)
    assert table["threshold"].tolist() == pytest.approx([0.55] * 4)
    assert table["step"].tolist() == pytest.approx([np.nan, np.nan, 10, 10], nan_ok=True)
    late = {("RT", 0): run({10: loss(0.3, 0.4)})}
    with pytest.raises(InputError, match="fig: RT, seed 0, begins at step 10; without step 0"):
        tabulate(late, threshold=None)
    with pytest.raises(ValueError, match="twice a reward"):
        tabulate(runs, threshold=None, performance="reward")


def test_tasks_are_drawn_with_all_their_instances() -> None:
    # Three good instances of one task, and a bad one of another: half of the draws of two tasks
    # mix them, a quarter are all good.
    by_task = run({0: loss(*[0.01] * 4), 10: loss(0.9, 0.9, 0.9, 0.01)}, "ttts")
    row = tabulate({("RT", 0): by_task}, threshold=0.5, resamples=4000).iloc[0]
    assert row["passes"] == pytest.approx(0.75, abs=0.03)
    assert row["units"] == 2
    by_instance = dataclasses.replace(by_task, unit="conversation")
    row = tabulate({("RT", 0): by_instance}, threshold=0.5, resamples=4000).iloc[0]
    # Three or four of four draws must be good: the mean of two would be below ε.
    assert row["passes"] == pytest.approx(stats.binom.sf(2, 4, 0.75), abs=0.03)
    assert row["units"] == 4


def test_an_infinite_bound_is_empty_and_the_other_is_not() -> None:
    # The mean passes if three or four of the four drawn are of the good half: 5 times of 16.
    runs = {("RT", 0): run({0: loss(0.01, 0.01, 0.01, 0.01), 10: loss(0.9, 0.9, 0.01, 0.01)})}
    row = tabulate(runs, threshold=0.5, resamples=4000).iloc[0]
    passes = stats.binom.sf(2, 4, 0.5)
    assert row["passes"] == pytest.approx(passes, abs=4 * np.sqrt(passes * (1 - passes) / 4000))
    assert row["passes"] != tabulate(runs, threshold=0.5, resamples=4000, seed=1)["passes"][0]
    assert row["low"] == 10
    assert np.isnan(row["step"])
    assert np.isnan(row["high"])


def test_the_interval_is_one_of_checkpoints_and_widens_with_confidence() -> None:
    falling = {step: 1.5 - step / 100 for step in range(0, 101, 2)}
    hardness = np.random.default_rng(0).gamma(2, 0.5, 40)
    runs = {("RT", 0): run({step: mean * hardness for step, mean in falling.items()})}
    wide, narrow = (tabulate(runs, confidence=level).iloc[0] for level in (0.99, 0.5))
    assert {row[name] for row in (wide, narrow) for name in ("low", "step", "high")} <= set(falling)
    assert wide["low"] <= narrow["low"] <= wide["step"] <= narrow["high"] <= wide["high"]
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]
    pd.testing.assert_frame_equal(tabulate(runs), tabulate(runs))
