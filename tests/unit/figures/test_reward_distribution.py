"""Rewards of right and of wrong answers: by hand, against SciPy, and bad input."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import run, some_answers
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.overlap import Group, aucs
from nearfirst.figures.reward_distribution import answers, distribution
from nearfirst.figures.settings import DistributionSettings


def facts(answers: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    """Return the rows of a single number, by group and name."""
    table = distribution(answers, DistributionSettings(**{"resamples": 200, **settings}))
    return table[~table["what"].isin(["histogram", "density"])].set_index(["group", "what"])


# Overlap and AUC -----------------------------------------------------------------------------


def test_a_resample_is_a_sample_with_its_instances_repeated() -> None:
    generator = np.random.default_rng(0)
    # Rounded, so that there are ties.
    drawn = generator.normal(1, 2, 60).round(), generator.normal(size=90).round()
    one, other = (Group(values, np.arange(len(values)) % 5) for values in drawn)
    weights = np.array([[1, 1, 1, 1, 1], [0, 3, 1, 0, 1], [2, 0, 0, 2, 1]], float)
    for auc, times in zip(aucs(one, other, weights), weights.astype(int), strict=True):
        a, b = (np.repeat(group.values, times[group.cluster]) for group in (one, other))
        assert auc == pytest.approx(stats.mannwhitneyu(a, b)[0] / (len(a) * len(b)))


# The table -----------------------------------------------------------------------------------


def test_by_hand() -> None:
    columns = {
        **{"seed": 0, "step": [0, 0, 0, 10, 10, 10], "id": list("abcabc")},
        **{"right": [True, True, *[False] * 4], "reward": [3.0, 2, 1, 1, 0, 4]},
    }
    table = distribution(pd.DataFrame(columns), DistributionSettings(bins=4, resamples=100), 7)
    assert table.columns.tolist() == [
        *("group", "what", "x", "width", "value", "low", "high", "n", "confidence")
    ]
    values = table[table["what"] != "histogram"].set_index(["group", "what"])["value"].dropna()
    assert values["right"].to_dict() == {"count": 2, "instances": 2}
    assert values["wrong"].to_dict() == {"count": 4, "instances": 3}
    assert values["both"].to_dict() == {
        # Right 3 and 2 against wrong 1, 0, 1, 4: six of eight pairs are won.
        "auc": 0.75,
        **{"instances": 3, "seeds": 1, "checkpoints": 2, "left_out": 7},
        **{"min_answers": 20, "min_instances": 5},
    }
    assert table["low"].isna().all()
    bars = table[table["what"] == "histogram"].groupby("group")
    assert bars["x"].agg(list).to_dict() == {"right": [0, 1, 2, 3], "wrong": [0, 1, 2, 3]}
    heights = {"right": [0, 0, 0.5, 0.5], "wrong": [0.25, 0.5, 0, 0.25]}
    assert bars["value"].agg(list).to_dict() == heights
    assert set(table["width"].dropna()) == {1}
    assert table.groupby("group")["n"].first().to_dict() == {"both": 6, "right": 2, "wrong": 4}
    assert table.groupby("group")["n"].nunique().max() == 1


def test_the_overlap_is_that_of_the_densities_in_the_table() -> None:
    table = distribution(some_answers(), DistributionSettings(resamples=100))
    curves = table[table["what"] == "density"].pivot(index="x", columns="group", values="value")
    areas = [np.trapezoid(curves[group], curves.index) for group in ("right", "wrong")]
    assert areas == pytest.approx([1, 1], abs=0.003)
    shared = np.trapezoid(curves.min(axis=1), curves.index)
    row = table[table["what"] == "overlap"].iloc[0]
    assert row["value"] == pytest.approx(shared)
    for _, bars in table[table["what"] == "histogram"].groupby("group"):
        assert (bars["value"] * bars["width"]).sum() == pytest.approx(1)


def test_more_runs_with_the_same_answers_tell_nothing_more() -> None:
    once = some_answers()
    again = pd.concat([once.assign(seed=seed) for seed in range(4)])
    bounds = ["value", "low", "high"]
    one, other = (facts(table).loc[("both", "auc"), bounds] for table in (once, again))
    assert other.tolist() == pytest.approx(one.tolist())
    # Drawn one by one, these answers would make it less than half as wide.
    alone = again.assign(id=np.arange(len(again)).astype(str))
    narrow = facts(alone).loc[("both", "auc")]
    assert narrow["high"] - narrow["low"] < 0.6 * (one["high"] - one["low"])


def test_the_bootstrap_is_seeded_and_follows_its_level() -> None:
    table = some_answers()
    pd.testing.assert_frame_equal(facts(table), facts(table))
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(facts(table), facts(shuffled), rtol=1e-9)
    changes: tuple[dict[str, Any], ...] = ({}, {"seed": 1}, {"confidence": 0.5})
    rows = [facts(table, **change).loc[("both", "auc")] for change in changes]
    widths = [row["high"] - row["low"] for row in rows]
    assert rows[0]["value"] == rows[1]["value"]
    assert widths[0] != widths[1]
    assert widths[2] < widths[0]


@pytest.mark.parametrize(
    ("change", "settings", "dense", "interval"),
    [
        ({}, {}, True, True),
        ({}, {"min_answers": 500}, False, True),
        ({}, {"min_instances": 51}, False, False),
        ({"reward": 1.5}, {}, False, True),
    ],
)
def test_what_a_density_and_an_interval_need(
    change: dict[str, Any], settings: dict[str, Any], dense: bool, interval: bool
) -> None:
    table = distribution(
        some_answers().assign(**change), DistributionSettings(resamples=100, **settings)
    )
    both = table[table["group"] == "both"].set_index("what")
    assert np.isfinite(both["value"]["overlap"]) == dense
    assert np.isfinite(both["low"]["auc"]) == interval
    assert np.isfinite(both["value"]["auc"])
    assert (table["what"] == "density").any() == dense
    assert set(table.loc[table["what"] == "histogram", "group"]) == {"right", "wrong"}


# Joining scores and rewards ------------------------------------------------------------------


def test_answers_in_both_tables_are_joined() -> None:
    scores = {("niv2", 3): run({0: (1, 0, 0.5), 10: (0, 1, 1)})}
    rewards = {("niv2", 3): run({0: (5, 6, 7, 8), 10: (1, 2, 3, 4)})}
    table, left_out = answers(scores, rewards)
    assert left_out == 1
    # A mean over references of 0.5 is not right: one of them differs.
    assert table.to_numpy().tolist() == [
        *([3, 0, "a", True, 5], [3, 0, "b", False, 6], [3, 0, "c", False, 7]),
        *([3, 10, "a", False, 1], [3, 10, "b", True, 2], [3, 10, "c", True, 3]),
    ]


@pytest.mark.parametrize(
    ("scores", "rewards", "message"),
    [
        ([1, 1], [1], r"scores of .*\('a', 1\)\], but rewards of \[\('a', 0\)\]"),
        ([1], [2], "a, seed 0: scores and rewards are not of the same"),
    ],
)
def test_tables_that_do_not_belong_together(
    scores: list[int], rewards: list[int], message: str
) -> None:
    """The numbers of checkpoints are given by seed."""
    runs = [
        {("a", seed): run({10 * step: (0, 1) for step in range(n)}) for seed, n in enumerate(steps)}
        for steps in (scores, rewards)
    ]
    with pytest.raises(InputError, match=message):
        answers(*runs)
