"""The registered tests, each on runs whose effect is known."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import run
from scipy import stats

from nearfirst.distance.similarity_settings import MEASURES
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.run import Run
from nearfirst.figures.settings import ComparisonSettings, PredictionSettings
from nearfirst.tables.metric_stability import noise
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.effects import TESTS
from nearfirst.takeaways.evidence import Data, Effect, Method, NotTestableError
from nearfirst.takeaways.measures import step_of_share
from nearfirst.takeaways.settings import TakeawaySettings
from nearfirst.takeaways.verdicts import verdict

TASKS = "stuvwxyz"
STEPS = (0, 10, 20, 30, 40)
METHOD = Method(
    comparison=ComparisonSettings(resamples=500),
    prediction=PredictionSettings(resamples=100),
    stability=StabilitySettings(end_checkpoints=1),
)


def curve(*losses: float, tasks: Sequence[float] = (0,) * 8, steps: Sequence[int] = STEPS) -> Run:
    """Return a run of eight tasks with one curve each, moved by a number for each task."""
    return run(
        {step: [loss + its for its in tasks] for step, loss in zip(steps, losses, strict=True)},
        TASKS,
    )


def data(
    roles: Mapping[str, Sequence[Run]], metric: str = "loss", **others: Mapping[str, Sequence[Run]]
) -> Data:
    """Return runs by role, one for each seed."""
    every = {metric: roles, **others}
    return Data(
        {
            name: {role: dict(enumerate(runs)) for role, runs in its.items()}
            for name, its in every.items()
        },
        {},
        dict.fromkeys(roles, "mine"),
        dict.fromkeys(roles, "specialist-0"),
        {role: role for role in roles},
        paper_steps=1000,
    )


def effect_of(name: str, given: Data, method: Method = METHOD, **options: Any) -> Effect:
    return TESTS[name](given, method, **options)


def decided(effect: Effect) -> str:
    return verdict((effect.low, effect.high), effect.region, effect.p_value, 0.05)


def test_a_difference_is_the_figure_s() -> None:
    # Farthest first varies more over seeds, and the figure pools the variances.
    tasks = np.arange(8) / 10
    runs = {
        name: [curve(9, *its, tasks=tasks * slope) for its in losses]
        for name, slope, losses in (
            ("A", 1.0, [(3, 2, 2, 1), (3, 2, 1, 1)]),
            ("B", 1.1, [(4, 3, 3, 2), (4, 3, 2, 2)]),
            ("C", 2.0, [(7, 6, 5, 4), (9, 9, 8, 7)]),
        )
    }
    alone = data({name: runs[name] for name in "AB"})
    beside = {"C": dict(enumerate(runs["C"]))}
    effect = effect_of("difference", replace(alone, beside=beside), window="run")
    figure = paired_comparison(data(runs).keyed(), "A", METHOD.comparison).iloc[0]
    assert figure["comparison"] == "A-B"
    assert effect[:4] == tuple(figure[["difference", "low", "high", "p_value"]])
    assert effect.low < effect_of("difference", alone, window="run").low


@pytest.mark.parametrize(
    ("window", "expected"),
    # Differences at steps 10 to 40: -1, -2, -3, 2.
    [("run", -1.0), ("end", 2.0), ("first half", -1.5), ("second half", -0.5)],
)
def test_difference_in_each_part_of_a_run(window: str, expected: float) -> None:
    given = data({"A": [curve(9, 3, 2, 1, 5)], "B": [curve(9, 4, 4, 4, 3)]})
    effect = effect_of("difference", given, window=window)
    assert (effect.estimate, effect.n, effect.units) == (expected, 8, "tasks")
    assert effect.p_value == pytest.approx(1 / 128)
    assert decided(effect) == ("confirmed" if expected < 0 else "refuted")


def test_runs_without_a_common_checkpoint_are_not_compared() -> None:
    given = data({"A": [curve(9, 1, steps=(0, 10))], "B": [curve(9, 1, steps=(0, 15))]})
    with pytest.raises(NotTestableError, match="A and B have no common checkpoint"):
        effect_of("difference", given, window="run")


def test_conversations_count_as_units() -> None:
    runs = {"A": [run({0: (9, 9, 9), 10: (1, 2, 3)})], "B": [run({0: (9, 9, 9), 10: (2, 2, 2)})]}
    effect = effect_of("difference", data(runs), window="run")
    assert (effect.units, effect.n) == ("instances", 3)


@pytest.mark.parametrize(
    ("level", "expected", "p_value"),
    # The loss of B falls from 9 to 4: a margin of 0.5.
    [
        (4.1, "confirmed", 1 / 256),
        (4.49, "confirmed", 1 / 256),
        (4.6, "refuted", 1 / 128),
        (3.0, "refuted", 1 / 128),
    ],
)
def test_equivalence(level: float, expected: str, p_value: float) -> None:
    given = data({"A": [curve(9, *[level] * 4)], "B": [curve(9, 4, 4, 4, 4)]})
    effect = effect_of("equivalence", given, window="run")
    assert effect.region == pytest.approx((-0.5, 0.5))
    assert effect.p_value == pytest.approx(p_value)
    assert decided(effect) == expected


def test_equivalence_is_undecided_where_tasks_differ() -> None:
    spread = [3.0, -3.0] * 4
    given = data({"A": [curve(9, 4, 4, 4, 4, tasks=spread)], "B": [curve(9, 4, 4, 4, 4)]})
    effect = effect_of("equivalence", given, window="run")
    assert (effect.estimate, decided(effect)) == (0, "undecided")
    rising = data({"A": [curve(1, 2, 2, 2, 2)], "B": [curve(1, 2, 2, 2, 2)]})
    with pytest.raises(NotTestableError, match="the loss does not fall"):
        effect_of("equivalence", rising, window="run")


def test_between_takes_the_weaker_difference() -> None:
    low, middle, high = (curve(9, *[its] * 4) for its in (1, 2, 4))
    effect = effect_of("between", data({"A": [low], "B": [middle], "C": [high]}), window="run")
    assert decided(effect) == "confirmed"
    assert effect.p_value == pytest.approx(1 / 128)
    outside = effect_of("between", data({"A": [low], "B": [high], "C": [middle]}), window="run")
    assert (outside.estimate, outside.note) == (2, "B − C")
    assert outside.p_value == pytest.approx(2 / 128)
    assert decided(outside) == "refuted"


def test_trend_is_that_of_page() -> None:
    levels = np.random.default_rng(0).normal(size=(3, 8)) + np.array([[0], [0.5], [1]])
    runs = {str(at): [curve(9, 5, 5, 5, 5, tasks=its)] for at, its in enumerate(levels)}
    effect = effect_of("trend", data(runs))
    page = stats.page_trend_test(levels.T)
    assert effect.p_value == pytest.approx(2 * page.pvalue)
    rank = np.mean([stats.spearmanr(its, [1, 2, 3])[0] for its in levels.T])
    assert effect.estimate == pytest.approx(rank)
    ordered = {str(at): [curve(9, *[at] * 4)] for at in range(3)}
    assert decided(effect_of("trend", data(ordered))) == "confirmed"
    backwards = dict(reversed(ordered.items()))
    effect = effect_of("trend", data(backwards))
    assert (effect.estimate, decided(effect)) == (-1, "refuted")
    with pytest.raises(NotTestableError, match="three buckets"):
        effect_of("trend", data({"a": ordered["0"], "b": ordered["1"]}))


def test_the_step_of_a_share_by_hand() -> None:
    steps = np.array(STEPS)
    curves = np.array([[0, 8, 9.0, 10, 10], [0, 20, 0, 0, 10], [5, 4, 3, 2, 1], [1, 1, 1, 1, 1]])
    assert step_of_share(steps, curves, 1).tolist() == [20, 10, inf, inf]
    # The end is the mean of 9, 10 and 10, or of all after the start.
    assert step_of_share(steps, curves[:1], 3).tolist() == [20]
    assert step_of_share(steps, np.array([0, 8.6, 9, 10, 10]), 3).tolist() == 20
    assert step_of_share(steps, np.array([0, 8.6, 9, 10, 10]), 4).tolist() == 10


@pytest.mark.parametrize(
    ("losses", "paper_step", "bound", "expected"),
    [
        # 300 of the paper's 1,000 steps are 12 of these 40.
        ((9, 1, 1, 1, 1), 300, 20, "confirmed"),
        ((9, 9, 9, 1, 1), 300, 20, "refuted"),
        # No bound before the first checkpoint.
        ((9, 1, 1, 1, 1), 10, 10, "confirmed"),
    ],
)
def test_early(losses: Sequence[float], paper_step: int, bound: float, expected: str) -> None:
    given = data({"run": [curve(*losses)] * 2})
    effect = effect_of("early", given, metric="loss", paper_step=paper_step)
    assert effect.region == (-inf, bound)
    assert (decided(effect), effect.seeds) == (expected, 2)
    assert effect.p_value == pytest.approx(2 / 501)


def test_what_gets_no_better_is_neither_early_nor_late() -> None:
    for losses in ((1, 2, 3, 4, 5), (3, 3, 3, 3, 3)):
        with pytest.raises(NotTestableError, match="loss gets no better"):
            effect_of("early", data({"run": [curve(*losses)]}), metric="loss", paper_step=300)


def test_early_in_half_of_the_tasks() -> None:
    fast, slow = (9, 1, 1, 1, 1), (9, 9, 9, 9, 1)
    losses = {
        step: [(fast, slow)[task % 2][at] + 0.0 for task in range(8)]
        for at, step in enumerate(STEPS)
    }
    given = data({"run": [run(losses, TASKS)]})
    effect = effect_of("early", given, metric="loss", paper_step=10)
    # Half of the change is there early: that is not 90 %.
    assert (effect.estimate, effect.low, effect.high) == (40, 40, 40)
    tasks = effect_of("early_tasks", given, paper_step=10)
    assert (tasks.estimate, tasks.note) == (0.5, "by step 10")
    assert decided(tasks) == "undecided"


def test_scores_rise_where_they_get_better() -> None:
    score = curve(0, 0.9, 1, 1, 1)
    effect = effect_of("early", data({"run": [score]}, "rouge1"), metric="rouge1", paper_step=10)
    assert (effect.estimate, decided(effect)) == (10, "confirmed")


def test_early_tasks_is_a_sign_test() -> None:
    effect = effect_of("early_tasks", data({"run": [curve(9, 1, 1, 1, 1)]}), paper_step=10)
    expected = stats.binomtest(8, 8)
    assert (effect.estimate, effect.p_value) == (1, pytest.approx(expected.pvalue))
    assert (effect.low, effect.high) == pytest.approx(tuple(expected.proportion_ci(0.95)))
    assert decided(effect) == "confirmed"
    late = effect_of("early_tasks", data({"run": [curve(9, 9, 9, 9, 1)]}), paper_step=10)
    assert decided(late) == "refuted"


def test_steadier_compares_noise_run_by_run() -> None:
    steps = tuple(range(0, 90, 10))
    generator = np.random.default_rng(0)

    def noisy(size: float) -> Run:
        return curve(*np.linspace(9, 1, 9) + generator.normal(0, size, 9), steps=steps)

    smooth = {"a": [noisy(0.1), noisy(0.1)], "b": [noisy(0.1), noisy(0.1)]}
    rough = {"a": [noisy(1), noisy(1)], "b": [noisy(1), noisy(1)]}
    effect = effect_of("steadier", data(smooth, reward=rough), metric="reward")
    logarithms = []
    for role, seed in itertools.product("ab", range(2)):
        pair = (its[role][seed].values.mean(axis=1).to_numpy() for its in (rough, smooth))
        ours = [noise(np.array(steps), its) / abs(its[-1] - its[0]) for its in pair]
        logarithms.append(np.log(ours[0] / ours[1]))
    expected = stats.ttest_1samp(logarithms, 0)
    assert effect.estimate == pytest.approx(np.exp(np.mean(logarithms)))
    assert effect.p_value == pytest.approx(expected.pvalue)
    assert (effect.n, decided(effect)) == (4, "confirmed")
    other_way = effect_of("steadier", data(rough, reward=smooth), metric="reward")
    assert decided(other_way) == "refuted"
    flat = {"a": [curve(*[0.0] * 9, steps=steps)] * 2, "b": rough["b"]}
    with pytest.raises(NotTestableError, match="no change in loss or reward"):
        effect_of("steadier", data(smooth, reward=flat), metric="reward")
    alone = {"a": smooth["a"][:1]}
    with pytest.raises(NotTestableError, match="one run alone"):
        effect_of("steadier", data(alone, reward=alone), metric="reward")


def test_fairer_by_hand() -> None:
    spread = [1.0, -1.0] * 4
    same, far = curve(9, 2, 2, 2, 2, tasks=spread), curve(9, 8, 8, 8, 8, tasks=spread)
    ours, theirs = {"a": [same], "b": [same]}, {"a": [same], "b": [far]}
    effect = effect_of("fairer", data(ours, reward=theirs))
    # Rewards: a variance of 9 between data sets (means 2 and 8) and 1 within; losses: 0 and 1.
    assert effect.estimate == pytest.approx(-0.9)
    assert decided(effect) == "confirmed"
    assert decided(effect_of("fairer", data(theirs, reward=ours))) == "refuted"
    with pytest.raises(NotTestableError, match="one data set alone"):
        effect_of("fairer", data({"a": [same]}, reward={"a": [same]}))


def rewarded(gap: float) -> Data:
    """Return answers of 40 tasks, half of them right, whose rewards are higher by a gap."""
    tasks = [f"task-{number}" for number in range(40)]
    right = np.arange(80).reshape(2, 40) % 2
    reward = np.random.default_rng(0).normal(size=(2, 40)) + gap * right
    made = [run(dict(zip((0, 10), its.tolist(), strict=True)), tasks) for its in (right, reward)]
    return data({"run": made[:1]}, "exact_match", reward={"run": made[1:]})


@pytest.mark.parametrize(
    ("gap", "expected"), [(0, "confirmed"), (3, "refuted"), (0.4, "undecided")]
)
def test_rewards_tell_right_from_wrong_or_not(gap: float, expected: str) -> None:
    method = Method(METHOD.settings.model_copy(update={"auc_margin": 0.2}), METHOD.comparison)
    effect = effect_of("tells_apart", rewarded(gap), method)
    assert effect.region == pytest.approx((0.3, 0.7))
    assert decided(effect) == expected
    assert effect.note.startswith("overlap 0.")


def test_too_few_right_answers_are_not_testable() -> None:
    given = rewarded(0)
    few = run({0: [1.0] * 19 + [0.0] * 21}, [f"task-{number}" for number in range(40)])
    scores = {"run": {0: few}}
    rewards = {"run": {0: run({0: [0.5] * 40}, list(few.task))}}
    given = Data(
        {"exact_match": scores, "reward": rewards},
        {},
        given.dataset,
        given.sample,
        given.arrangement,
    )
    with pytest.raises(NotTestableError, match="only 19 right answers to 19 of 40 tasks"):
        effect_of("tells_apart", given)


def test_the_largest_fall_does_not_count_the_first() -> None:
    # After step 10 falls of 0, 3, 0 against 1, 1, 1; before it 5 and 4.
    sudden, even = curve(9, 4, 4, 1, 1), curve(9, 5, 4, 3, 2)
    effect = effect_of("sudden", data({"cluster": [sudden], "random": [even]}))
    assert (effect.estimate, decided(effect)) == (2, "confirmed")
    assert effect_of("sudden", data({"random": [even], "cluster": [sudden]})).estimate == -2


def falling(shift: int = 0, sign: float = 1.0, count: int = 25, seeds: int = 1) -> Data:
    """Return tasks whose loss falls at one checkpoint each, and their distance so much later."""
    steps = list(range(0, 10 * count, 10))
    at = 3 + 2 * np.arange(8)
    fall = np.arange(count)[:, None] >= at
    later = np.arange(count)[:, None] >= at + shift
    losses = {step: (4.0 - its).tolist() for step, its in zip(steps, fall, strict=True)}
    distance = pd.DataFrame(1 - sign * later, steps, list(TASKS)).loc[10:]
    base = data({"cluster": [run(losses, TASKS)] * seeds})
    similarities = {"cluster": {seed: {"cosine-min": distance} for seed in range(seeds)}}
    return Data(base.runs, similarities, base.dataset, base.sample, base.arrangement)


def test_falls_that_follow_the_distance() -> None:
    effect = effect_of("follows", falling(), measure="cosine-min")
    assert effect.estimate == pytest.approx(1)
    assert (effect.p_value < 0.01, decided(effect)) == (True, "confirmed")
    assert decided(effect_of("follows", falling(sign=-1), measure="cosine-min")) == "refuted"
    # One checkpoint later is no more than blocks in another order give.
    assert decided(effect_of("follows", falling(shift=1), measure="cosine-min")) != "confirmed"
    with pytest.raises(
        NotTestableError, match="8 changes between checkpoints are too few: it takes 4 blocks"
    ):
        effect_of("follows", falling(count=10), measure="cosine-min")


def test_what_falls_in_all_tasks_alike_says_nothing() -> None:
    given = falling()
    steps = given.runs["loss"]["cluster"][0].values.index
    same = {step: [10.0 - at] * 8 for at, step in enumerate(steps)}
    given = Data({"loss": {"cluster": {0: run(same, TASKS)}}}, given.similarities, {}, {}, {})
    with pytest.raises(NotTestableError, match="0 tasks have a value"):
        effect_of("follows", given, measure="cosine-min")


def sampled(seeds: int, own: float, luck: float) -> Data:
    """Return curves of two samples in one order: a shape of the sample's own, and luck."""
    generator = np.random.default_rng(0)
    runs = {}
    for role in ("one", "two"):
        shape = own * generator.normal(size=(5, 8))
        runs[role] = [
            run(
                dict(
                    zip(STEPS, (shape + luck * generator.normal(size=(5, 8))).tolist(), strict=True)
                ),
                TASKS,
            )
            for _ in range(seeds)
        ]
    base = data(runs)
    samples = {"one": "specialist-0", "two": "specialist-1"}
    return Data(base.runs, {}, base.dataset, samples, dict.fromkeys(runs, "random"))


def test_samples_change_the_shape_of_a_curve_or_not() -> None:
    effect = effect_of("samples_differ", sampled(3, own=1, luck=0))
    assert (effect.estimate, decided(effect)) == (pytest.approx(1), "confirmed")
    nothing = effect_of("samples_differ", sampled(3, own=0, luck=1))
    assert abs(nothing.estimate) < 0.2
    assert decided(nothing) == "undecided"
    with pytest.raises(NotTestableError, match="with one seed"):
        effect_of("samples_differ", sampled(1, own=1, luck=0))


def similar(measures: Mapping[str, float]) -> Data:
    """Return two orders whose measures go with the loss as much as a number says."""
    generator = np.random.default_rng(0)
    runs, similarities = {}, {}
    for label in ("cluster", "random"):
        losses = generator.normal(size=(5, 8))
        runs[label] = [run(dict(zip(STEPS, losses.tolist(), strict=True)), TASKS)]
        noisy = generator.normal(size=(5, 8))
        similarities[label] = {
            0: {
                name: pd.DataFrame(
                    measures.get(name, 1) * losses + (1 - abs(measures.get(name, 1))) * noisy,
                    STEPS,
                    list(TASKS),
                ).loc[10:]
                for name in MEASURES
            }
        }
    base = data(runs)
    return Data(base.runs, similarities, base.dataset, base.sample, base.arrangement)


def test_measures_that_go_with_the_loss_alike_or_not() -> None:
    pairs = [("cosine-min", "euclidean-min"), ("cosine-avg", "euclidean-avg")]
    same = effect_of("same_correlation", similar({}), pairs=pairs)
    assert (same.estimate, same.region, decided(same)) == (0, (-0.1, 0.1), "confirmed")
    other = effect_of("same_correlation", similar({"euclidean-avg": -1}), pairs=pairs)
    assert (other.estimate, other.note) == (pytest.approx(2), "farthest apart: avg")
    assert decided(other) == "refuted"


def test_a_measure_that_goes_with_the_loss_or_not() -> None:
    strong = effect_of("no_correlation", similar({}), measure="ngram-kl")
    assert (strong.estimate, decided(strong)) == (pytest.approx(1), "refuted")
    weak = effect_of("no_correlation", similar({"ngram-kl": 0}), measure="ngram-kl")
    assert decided(weak) == "undecided"
    wide = Method(
        TakeawaySettings(correlation_margin=0.9), METHOD.comparison, prediction=METHOD.prediction
    )
    assert (
        decided(effect_of("no_correlation", similar({"ngram-kl": 0}), wide, measure="ngram-kl"))
        == "confirmed"
    )
