"""Tests of claims about tasks: sudden falls, distances that they follow, samples, measures."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evidence import (
    BY_TOKENS,
    METHOD,
    STEPS,
    TASKS,
    curve,
    data,
    decide,
    effect_of,
    falling,
    run_of,
    sampled,
)
from runs import run

from nearfirst.distance.settings import MEASURES
from nearfirst.takeaways.evidence import Data
from nearfirst.takeaways.settings import TakeawaySettings


def test_the_largest_fall_excludes_the_first() -> None:
    # After step 10 falls of 0, 3, 0 against 1, 1, 1; before it 5 and 4.
    sudden, even = curve(9, 4, 4, 1, 1), curve(9, 5, 4, 3, 2)
    effect = effect_of("sudden", data({"cluster": [sudden], "random": [even]}))
    assert (effect.estimate, decide(effect)) == (2, "confirmed")
    assert effect_of("sudden", data({"random": [even], "cluster": [sudden]})).estimate == -2
    two = effect_of("sudden", data({"cluster": [sudden, even], "random": [even, even]}))
    assert (two.estimate, two.seeds) == (1, 2)
    # One seed of two is sudden, so the difference varies over seeds by more than over tasks.
    assert two.low < 0 < two.high


def test_the_loss_of_a_task_is_weighted() -> None:
    # The first task has a second instance, with three label tokens, which alone falls by 4.
    tasks, tokens = [*TASKS, "s"], [1] * 8 + [3]
    levels = {0: [5.0] * 9, 10: [5.0] * 9, 20: [5.0] * 9}
    even, sudden = (run(levels | {20: [5.0] * 8 + [end]}, tasks, tokens) for end in (5.0, 1.0))
    # Of two instances of a task the first falls early; with 19 of 20 tokens it makes the fall.
    fast_and_slow = run({0: (9, 9), 10: (1, 9), 20: (1, 9), 30: (1, 9), 40: (1, 1)}, "ss", (19, 1))
    for method, fall, is_early in ((METHOD, 2, 0), (BY_TOKENS, 3, 1)):
        effect = effect_of("sudden", data({"cluster": [sudden], "random": [even]}), method)
        assert effect.estimate == pytest.approx(fall / 8)
        effect = effect_of("early_tasks", data({"run": [fast_and_slow]}), method, paper_step=10)
        assert effect.estimate == is_early


def test_falls_that_follow_the_distance() -> None:
    effect = effect_of("follows", falling(), measure="cosine-min")
    assert effect.estimate == pytest.approx(1)
    assert (effect.p_value < 0.01, decide(effect)) == (True, "confirmed")
    assert decide(effect_of("follows", falling(sign=-1), measure="cosine-min")) == "refuted"
    # A lag of one checkpoint is no better than a permutation of the blocks.
    assert decide(effect_of("follows", falling(shift=1), measure="cosine-min")) != "confirmed"


def test_samples_change_the_shape_of_a_curve_or_not() -> None:
    effect = effect_of("samples_differ", sampled(3, own=1, luck=0))
    assert (effect.estimate, decide(effect)) == (pytest.approx(1), "confirmed")
    assert effect.p_value == pytest.approx(2 / 501)
    chance = effect_of("samples_differ", sampled(3, own=0, luck=1))
    assert abs(chance.estimate) < 0.2
    assert decide(chance) == "undecided"


def similar(strengths: Mapping[str, float]) -> Data:
    """Return two orders, with measures that follow the loss as closely as a number says (or 1)."""
    generator = np.random.default_rng(0)
    runs, similarities = {}, {}
    for label in ("cluster", "random"):
        losses, noisy = generator.normal(size=(2, 5, 8))
        runs[label] = [run_of(losses)]
        by_measure = {
            name: strengths.get(name, 1) * losses + (1 - abs(strengths.get(name, 1))) * noisy
            for name in MEASURES
        }
        tables = {
            name: pd.DataFrame(distances, STEPS, list(TASKS)).loc[10:]
            for name, distances in by_measure.items()
        }
        similarities[label, 0] = tables
    return replace(data(runs), similarities=similarities)


def test_measures_that_follow_the_loss_alike_or_not() -> None:
    pairs = [("cosine-min", "euclidean-min"), ("cosine-avg", "euclidean-avg")]
    same = effect_of("same_correlation", similar({}), pairs=pairs)
    assert (same.estimate, same.region, decide(same)) == (0, (-0.1, 0.1), "confirmed")
    other = effect_of("same_correlation", similar({"euclidean-avg": -1}), pairs=pairs)
    assert (other.estimate, other.note) == (pytest.approx(2), "farthest apart: avg")
    assert decide(other) == "refuted"
    # Two pairs could have refuted the claim, and one that hardly differs does not hide the other.
    assert other.p_value == pytest.approx(2 * 2 / 101)
    both = {"euclidean-avg": -1, "euclidean-min": 0.8}
    assert effect_of("same_correlation", similar(both), pairs=pairs)[:4] == other[:4]


def test_a_measure_that_follows_the_loss_or_not() -> None:
    strong = effect_of("no_correlation", similar({}), measure="ngram-kl")
    assert (strong.estimate, decide(strong)) == (pytest.approx(1), "refuted")
    weak = effect_of("no_correlation", similar({"ngram-kl": 0}), measure="ngram-kl")
    assert decide(weak) == "undecided"
    wide = replace(METHOD, settings=TakeawaySettings(correlation_margin=0.9))
    weak = effect_of("no_correlation", similar({"ngram-kl": 0}), wide, measure="ngram-kl")
    assert decide(weak) == "confirmed"
