"""Tests of claims about metrics: early, steady, fair, and blind to correctness."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
from evidence import (
    BY_TOKENS,
    LENIENT,
    METHOD,
    STEPS,
    curve,
    data,
    decide,
    effect_of,
    run_of,
    weighted,
)
from runs import run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.run import Run
from nearfirst.figures.settings import DistributionSettings
from nearfirst.tables.metric_stability import noise, step_of_share
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.evidence import Data, Method


def test_the_step_of_a_share_by_hand() -> None:
    steps = np.array(STEPS)
    curves = np.array([[0, 8, 9.0, 10, 10], [0, 20, 0, 0, 10], [5, 4, 3, 2, 1], [1, 1, 1, 1, 1]])
    assert step_of_share(steps, curves, 1).tolist() == [20, 10, inf, inf]
    # The end is the mean of 9, 10 and 10, or of all after the start.
    assert step_of_share(steps, curves[:1], 3).tolist() == [20]
    assert step_of_share(steps, np.array([0, 8.6, 9, 10, 10]), 3).tolist() == 20
    assert step_of_share(steps, np.array([0, 8.6, 9, 10, 10]), 4).tolist() == 10


@pytest.mark.parametrize(
    ("metric", "values", "paper_step", "bound", "expected"),
    [
        # 300 of the paper's 1,000 steps are 12 of these 40.
        ("loss", (9, 1, 1, 1, 1), 300, 20, "confirmed"),
        ("loss", (9, 9, 9, 1, 1), 300, 20, "refuted"),
        # The bound is no earlier than the first checkpoint.
        ("loss", (9, 1, 1, 1, 1), 10, 10, "confirmed"),
        # A run of the paper that is over by then.
        ("loss", (9, 9, 9, 9, 1), 2000, 40, "confirmed"),
        # Scores get better by rising.
        ("rouge1", (0, 0.9, 1, 1, 1), 10, 10, "confirmed"),
    ],
)
def test_early(
    metric: str, values: Sequence[float], paper_step: int, bound: float, expected: str
) -> None:
    runs = data({"run": [curve(*values)] * 2}, metric)
    effect = effect_of("early", runs, metric=metric, paper_step=paper_step)
    assert effect.region == (-inf, bound)
    assert (decide(effect), effect.seeds) == (expected, 2)
    assert effect.p_value == pytest.approx(2 / 501)


def test_an_early_step_is_a_bootstrap_of_tasks_and_seeds() -> None:
    fast, slow = (9, 1, 1, 1, 1), (9, 9, 9, 9, 1)
    one_slow = run_of(np.transpose([slow, *[fast] * 7]))
    # Seven eighths are less than 90 %, which draws without the slow task exceed. Of two seeds,
    # a quarter of the draws are the fast one twice.
    for runs, share in (([one_slow], (7 / 8) ** 8), ([curve(*fast), curve(*slow)], 1 / 4)):
        effect = effect_of("early", data({"run": runs}), metric="loss", paper_step=10)
        assert (effect.estimate, effect.low, effect.high) == (40, 10, 40)
        assert effect.p_value == pytest.approx(2 * share, abs=0.15)
    # By label tokens the fast tasks have 63 of 64.
    by_tokens = data({"run": [weighted(one_slow, 1, *[9] * 7)]})
    assert effect_of("early", by_tokens, BY_TOKENS, metric="loss", paper_step=10).estimate == 10


def test_early_tasks_is_a_sign_test() -> None:
    effect = effect_of("early_tasks", data({"run": [curve(9, 1, 1, 1, 1)]}), paper_step=10)
    expected = stats.binomtest(8, 8)
    assert (effect.estimate, effect.note) == (1, "by step 10")
    assert effect.p_value == pytest.approx(expected.pvalue)
    assert (effect.low, effect.high) == pytest.approx(tuple(expected.proportion_ci(0.95)))
    assert decide(effect) == "confirmed"
    lenient = effect_of(
        "early_tasks", data({"run": [curve(9, 1, 1, 1, 1)]}), LENIENT, paper_step=10
    )
    assert lenient.low == pytest.approx(expected.proportion_ci(0.9).low)
    # The mean over seeds, 9, 5, 5, 5, 1, is late.
    two = data({"run": [curve(9, 1, 1, 1, 1), curve(9, 9, 9, 9, 1)]})
    assert effect_of("early_tasks", two, paper_step=10).estimate == 0
    late = effect_of("early_tasks", data({"run": [curve(9, 9, 9, 9, 1)]}), paper_step=10)
    assert decide(late) == "refuted"


def test_steadier_compares_noise_run_by_run() -> None:
    steps = tuple(range(0, 90, 10))
    generator = np.random.default_rng(0)

    def noisy(size: float) -> Run:
        return curve(*np.linspace(9, 1, 9) + generator.normal(0, size, 9), steps=steps)

    smooth, rough = ({name: [noisy(size), noisy(size)] for name in "ab"} for size in (0.1, 1))
    effect = effect_of("steadier", data(smooth, reward=rough), metric="reward")
    log_ratios = []
    for role, seed in itertools.product("ab", range(2)):
        means = [runs[role][seed].values.mean(axis=1).to_numpy() for runs in (rough, smooth)]
        relative = [noise(np.array(steps), mean) / abs(mean[-1] - mean[0]) for mean in means]
        log_ratios.append(np.log(relative[0] / relative[1]))
    expected = stats.ttest_1samp(log_ratios, 0)
    assert effect.estimate == pytest.approx(np.exp(np.mean(log_ratios)))
    assert effect.p_value == pytest.approx(expected.pvalue)
    assert (effect.n, decide(effect)) == (4, "confirmed")
    for method, level in ((METHOD, 0.95), (LENIENT, 0.9)):
        effect = effect_of("steadier", data(smooth, reward=rough), method, metric="reward")
        assert effect[1:3] == pytest.approx(np.exp(expected.confidence_interval(level)))
    reverse = effect_of("steadier", data(rough, reward=smooth), metric="reward")
    assert decide(reverse) == "refuted"
    flat = {"a": [curve(*[0.0] * 9, steps=steps)] * 2, "b": rough["b"]}
    with pytest.raises(InputError, match="no change in loss or reward"):
        effect_of("steadier", data(smooth, reward=flat), metric="reward")


def test_fairer_by_hand() -> None:
    spread = np.array([1.0, -1.0] * 4)
    # The means of the last two checkpoints are 2 and 8.
    same, far = curve(9, 0, 0, 1, 3, tasks=spread), curve(9, 0, 0, 9, 7, tasks=3 * spread)
    ours, theirs = {"a": [same], "b": [same]}, {"a": [same], "b": [far]}
    method = replace(METHOD, stability=StabilitySettings(end_checkpoints=2))
    effect = effect_of("fairer", data(ours, reward=theirs), method)
    # Rewards: a variance of 9 between data sets, and 1 and 9 within; losses: 0, and 1 within.
    assert effect.estimate == pytest.approx(-9 / 14)
    assert effect.low < effect.estimate < effect.high
    assert decide(effect) == "confirmed"
    assert decide(effect_of("fairer", data(theirs, reward=ours), method)) == "refuted"


def rewarded(is_right: Any, gap: float) -> Data:
    """Return answers of 20 tasks, two each, whose rewards are higher by a gap where right."""
    tasks = [f"task-{number // 2}" for number in range(40)]
    reward = np.random.default_rng(0).normal(size=np.shape(is_right)) + gap * is_right
    scores, rewards = (
        {"run": [run(dict(enumerate(values.tolist())), tasks)]} for values in (is_right, reward)
    )
    return data(scores, "exact_match", reward=rewards)


@pytest.mark.parametrize(
    ("gap", "expected"), [(0, "confirmed"), (3, "refuted"), (0.4, "undecided")]
)
def test_rewards_tell_right_from_wrong_or_not(gap: float, expected: str) -> None:
    method = Method(METHOD.settings.model_copy(update={"auc_margin": 0.2}), METHOD.comparison)
    effect = effect_of("tells_apart", rewarded(np.arange(80).reshape(2, 40) % 2, gap), method)
    assert effect.region == pytest.approx((0.3, 0.7))
    assert decide(effect) == expected
    assert effect.note.startswith("overlap 0.")


def test_too_few_right_answers_are_not_testable() -> None:
    with pytest.raises(InputError, match="only 19 right answers to 10 of 20 tasks"):
        effect_of("tells_apart", rewarded(np.array([[1.0] * 19 + [0.0] * 21]), 0))
    many = DistributionSettings(min_answers=41)
    with pytest.raises(InputError, match="only 40 right answers to 20 of 20 tasks"):
        effect_of(
            *("tells_apart", rewarded(np.arange(80).reshape(2, 40) % 2, 0)),
            replace(METHOD, distribution=many),
        )
