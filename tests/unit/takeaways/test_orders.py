"""Tests of claims about orders: lower, equal, between, with a trend."""

from dataclasses import replace

import numpy as np
import pytest
from evidence import (
    BY_TOKENS,
    LENIENT,
    METHOD,
    by_key,
    curve,
    data,
    decide,
    effect_of,
    run_of,
    weighted,
)
from runs import run
from scipy import stats

from nearfirst.figures.comparison.paired import paired_comparison


def test_a_difference_is_the_figure_s() -> None:
    # Farthest first varies more over seeds, and the figure pools the variances.
    tasks = np.arange(8) / 10
    runs = {
        name: [weighted(curve(9, *values, tasks=tasks * slope), *range(1, 9)) for values in losses]
        for name, slope, losses in (
            ("A", 1.0, [(3, 2, 2, 1), (3, 2, 1, 1)]),
            ("B", 1.1, [(4, 3, 3, 2), (4, 3, 2, 2)]),
            ("C", 2.0, [(7, 6, 5, 4), (9, 9, 8, 7)]),
        )
    }
    alone = data({name: runs[name] for name in "AB"})
    others = by_key({"C": runs["C"]})
    for method, level in ((METHOD, 0.95), (LENIENT, 0.9), (BY_TOKENS, 0.95)):
        effect = effect_of("difference", replace(alone, others=others), method, window="run")
        settings = METHOD.comparison.model_copy(update={"confidence": level})
        figure = paired_comparison(by_key(runs), "A", settings, weighting=method.weighting).iloc[0]
        assert figure["comparison"] == "A-B"
        assert effect[:4] == tuple(figure[["difference", "low", "high", "p_value"]])
    effect = effect_of("difference", replace(alone, others=others), window="run")
    assert effect.low < effect_of("difference", alone, window="run").low
    # Another arrangement may have the name of a role.
    renamed = replace(alone, others=by_key({"B": runs["C"]}))
    assert effect == effect_of("difference", renamed, window="run")


@pytest.mark.parametrize(
    ("window", "expected"),
    # Differences at steps 10 to 40: -1, -2, -3, 2.
    [("run", -1.0), ("end", 2.0), ("first half", -1.5), ("second half", -0.5)],
)
def test_difference_in_each_part_of_a_run(window: str, expected: float) -> None:
    runs = data({"A": [curve(9, 3, 2, 1, 5)], "B": [curve(9, 4, 4, 4, 3)]})
    effect = effect_of("difference", runs, window=window)
    assert (effect.estimate, effect.n, effect.units) == (expected, 8, "tasks")
    assert effect.p_value == pytest.approx(1 / 128)
    assert decide(effect) == ("confirmed" if expected < 0 else "refuted")


def test_without_tasks_instances_are_the_units() -> None:
    runs = {"A": [run({0: (9, 9, 9), 10: (1, 2, 3)})], "B": [run({0: (9, 9, 9), 10: (2, 2, 2)})]}
    effect = effect_of("difference", data(runs), window="run")
    assert (effect.units, effect.n) == ("instances", 3)


@pytest.mark.parametrize(
    ("higher", "expected", "p_value"),
    # The loss of B falls from 9 to 4 at the end: a margin of 0.5.
    [
        (0.1, "confirmed", 1 / 256),
        (0.49, "confirmed", 1 / 256),
        (0.6, "refuted", 1 / 128),
        (-1.0, "refuted", 1 / 128),
    ],
)
def test_equivalence(higher: float, expected: str, p_value: float) -> None:
    later = np.array([6, 5, 3, 4])
    runs = data({"A": [curve(9, *(later + higher))], "B": [curve(9, *later)]})
    effect = effect_of("equivalence", runs, window="run")
    assert effect.region == pytest.approx((-0.5, 0.5))
    assert effect.p_value == pytest.approx(p_value)
    assert decide(effect) == expected


def test_the_margin_of_equivalence_is_a_share_of_the_weighted_fall() -> None:
    # The first of eight tasks, with 8 of 15 label tokens, does not fall; the others fall by 5.
    one_steady = weighted(run_of(np.transpose([[9] * 5, *[[9, 6, 5, 3, 4]] * 7])), 8, *[1] * 7)
    runs = data({"A": [one_steady], "B": [one_steady]})
    for method, fall in ((METHOD, 35 / 8), (BY_TOKENS, 35 / 15)):
        effect = effect_of("equivalence", runs, method, window="run")
        assert effect.region == pytest.approx((-fall / 10, fall / 10))


def test_between_takes_the_weaker_difference() -> None:
    low, middle, high = (curve(9, *[level] * 4) for level in (1, 2, 4))
    effect = effect_of("between", data({"A": [low], "B": [middle], "C": [high]}), window="run")
    assert decide(effect) == "confirmed"
    assert effect.p_value == pytest.approx(1 / 128)
    outside = effect_of("between", data({"A": [low], "B": [high], "C": [middle]}), window="run")
    assert (outside.estimate, outside.note) == (2, "B − C")
    assert outside.p_value == pytest.approx(2 / 128)
    assert decide(outside) == "refuted"


def test_trend_is_page_s() -> None:
    levels = np.random.default_rng(0).normal(size=(3, 8)) + np.array([[0], [0.5], [1]])
    runs = {str(i): [curve(9, 5, 5, 5, 5, tasks=level)] for i, level in enumerate(levels)}
    effect = effect_of("trend", data(runs))
    page = stats.page_trend_test(levels.T)
    assert effect.p_value == pytest.approx(2 * page.pvalue)
    rank = np.mean([stats.spearmanr(level, [1, 2, 3])[0] for level in levels.T])
    assert effect.estimate == pytest.approx(rank)
    # The mean over checkpoints counts, not the last.
    ordered = {str(i): [curve(9, 4 * i, 4 * i, 4 * i, -i)] for i in range(3)}
    assert decide(effect_of("trend", data(ordered))) == "confirmed"
    effect = effect_of("trend", data(dict(reversed(ordered.items()))))
    assert (effect.estimate, decide(effect)) == (-1, "refuted")
