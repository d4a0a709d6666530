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

from nearfirst.common.errors import InputError
from nearfirst.distance.similarity_settings import MEASURES
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.run import Run
from nearfirst.figures.settings import (
    ComparisonSettings,
    DistributionSettings,
    PredictionSettings,
)
from nearfirst.tables.metric_stability import noise
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.evidence import (
    POSITIVE,
    Data,
    Effect,
    Method,
    NotTestableError,
    equivalence_test,
    mean_over_tasks,
)
from nearfirst.takeaways.measures import step_of_share
from nearfirst.takeaways.settings import TakeawaySettings
from nearfirst.takeaways.verdicts import TESTS, verdict

TASKS = "stuvwxyz"
STEPS = (0, 10, 20, 30, 40)
METHOD = Method(
    comparison=ComparisonSettings(resamples=500),
    prediction=PredictionSettings(resamples=100),
    stability=StabilitySettings(end_checkpoints=1),
)
# Intervals of 90 %, and means over label tokens.
LENIENT = replace(METHOD, settings=TakeawaySettings(alpha=0.1))
BY_TOKENS = replace(METHOD, weighting="token")


def curve(*losses: float, tasks: Sequence[float] = (0,) * 8, steps: Sequence[int] = STEPS) -> Run:
    """Return a run of eight tasks with one curve each, shifted by a number for each task."""
    return run_of(np.add.outer(losses, tasks), steps)


def run_of(losses: Any, steps: Sequence[int] = STEPS) -> Run:
    """Return a run of eight tasks with the (steps, tasks) losses."""
    return run(dict(zip(steps, np.asarray(losses, float).tolist(), strict=True)), TASKS)


def weighted(run: Run, *tokens: int) -> Run:
    """Return the run with these numbers of label tokens."""
    return replace(run, label_tokens=pd.Series(tokens, run.task.index))


def data(
    roles: Mapping[str, Sequence[Run]], metric: str = "loss", **others: Mapping[str, Sequence[Run]]
) -> Data:
    """Return runs by role, one for each seed."""
    by_metric = {metric: roles, **others}
    return Data(
        {
            name: {role: dict(enumerate(runs)) for role, runs in by_role.items()}
            for name, by_role in by_metric.items()
        },
        similarities={},
        sample=dict.fromkeys(roles, "specialist-0"),
        arrangement={role: role for role in roles},
        paper_steps=1000,
    )


def effect_of(name: str, runs: Data, method: Method = METHOD, **options: Any) -> Effect:
    return TESTS[name](runs, method, **options)


def decide(effect: Effect) -> str:
    return verdict((effect.low, effect.high), effect.region, effect.p_value, 0.05)


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
    others = {"C": dict(enumerate(runs["C"]))}
    for method, level in ((METHOD, 0.95), (LENIENT, 0.9), (BY_TOKENS, 0.95)):
        effect = effect_of("difference", replace(alone, others=others), method, window="run")
        settings = METHOD.comparison.model_copy(update={"confidence": level})
        by_key = data(runs).by_key()
        figure = paired_comparison(by_key, "A", settings, weighting=method.weighting).iloc[0]
        assert figure["comparison"] == "A-B"
        assert effect[:4] == tuple(figure[["difference", "low", "high", "p_value"]])
    effect = effect_of("difference", replace(alone, others=others), window="run")
    assert effect.low < effect_of("difference", alone, window="run").low
    # Another arrangement may have the name of a role.
    assert effect == effect_of(
        "difference", replace(alone, others={"B": others["C"]}), window="run"
    )


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


def test_equivalence_is_undecided_where_tasks_differ() -> None:
    mixed = curve(9, 4, 4, 4, 4, tasks=[3.0, -3.0] * 4)
    effect = effect_of(
        "equivalence", data({"A": [mixed], "B": [curve(9, 4, 4, 4, 4)]}), window="run"
    )
    assert (effect.estimate, decide(effect)) == (0, "undecided")


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


def test_early_in_half_of_the_tasks() -> None:
    fast, slow = (9, 1, 1, 1, 1), (9, 9, 9, 9, 1)
    runs = data({"run": [run_of(np.transpose([fast, slow] * 4))]})
    effect = effect_of("early", runs, metric="loss", paper_step=10)
    # Half of the change is early, which is less than 90 %.
    assert (effect.estimate, effect.low, effect.high) == (40, 40, 40)
    effect = effect_of("early_tasks", runs, paper_step=10)
    assert (effect.estimate, effect.note) == (0.5, "by step 10")
    assert decide(effect) == "undecided"


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
    assert (effect.estimate, effect.p_value) == (1, pytest.approx(expected.pvalue))
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
    with pytest.raises(NotTestableError, match="no change in loss or reward"):
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
    with pytest.raises(NotTestableError, match="only 19 right answers to 10 of 20 tasks"):
        effect_of("tells_apart", rewarded(np.array([[1.0] * 19 + [0.0] * 21]), 0))
    last = DistributionSettings(checkpoints="last", min_answers=21)
    with pytest.raises(NotTestableError, match="only 20 right answers to 20 of 20 tasks"):
        effect_of(
            *("tells_apart", rewarded(np.arange(80).reshape(2, 40) % 2, 0)),
            replace(METHOD, distribution=last),
        )


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


def falling(shift: int = 0, sign: float = 1.0, count: int = 25) -> Data:
    """Return tasks whose loss falls at one checkpoint each, and whose distance falls later."""
    steps = list(range(0, 10 * count, 10))
    position = 3 + 2 * np.arange(8)
    fall, later = (np.arange(count)[:, None] >= position + by for by in (0, shift))
    distance = pd.DataFrame(1 - sign * later, steps, list(TASKS)).loc[10:]
    runs = data({"cluster": [run_of(4.0 - fall, steps)]})
    return replace(runs, similarities={"cluster": {0: {"cosine-min": distance}}})


def test_falls_that_follow_the_distance() -> None:
    effect = effect_of("follows", falling(), measure="cosine-min")
    assert effect.estimate == pytest.approx(1)
    assert (effect.p_value < 0.01, decide(effect)) == (True, "confirmed")
    assert decide(effect_of("follows", falling(sign=-1), measure="cosine-min")) == "refuted"
    # A lag of one checkpoint is no better than a permutation of the blocks.
    assert decide(effect_of("follows", falling(shift=1), measure="cosine-min")) != "confirmed"


def sampled(seeds: int, own: float, luck: float) -> Data:
    """Return curves of two samples in one order, with a shape of the sample and noise.

    Neither the fall that both have in common, nor that one sample is harder, is a shape.
    """
    generator = np.random.default_rng(0)
    runs = {}
    for role, level in (("one", 0.0), ("two", 10.0)):
        shape = own * generator.normal(size=(5, 8)) + level - 5 * np.arange(5.0)[:, None]
        runs[role] = [run_of(shape + luck * generator.normal(size=(5, 8))) for _ in range(seeds)]
    samples = {"one": "specialist-0", "two": "specialist-1"}
    return replace(data(runs), sample=samples, arrangement=dict.fromkeys(runs, "random"))


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
        similarities[label] = {0: tables}
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


def test_equivalence_by_hand() -> None:
    draws = np.array([0.0, *np.arange(-40, 61) / 500])
    effect = equivalence_test(draws, 0.0, 0.089, METHOD, "correlation", 8, 1)
    # Draws of 0.09 and more are 16 of 101, and none is -0.09 or less.
    assert effect.p_value == pytest.approx(17 / 102)
    assert (effect.low, effect.high) == pytest.approx((-0.075, 0.115))
    # Beyond the margin, draws within it count twice: 85 of them, or none.
    beyond = equivalence_test(np.array([0.2, *draws[1:]]), 0.0, 0.089, METHOD, "x", 8, 1)
    assert beyond.p_value == 1
    far = equivalence_test(draws + 0.2, 0.0, 0.089, METHOD, "x", 8, 1)
    assert far.p_value == pytest.approx(2 / 102)


def test_a_task_without_a_value_in_some_seed_is_left_out() -> None:
    values = np.array([[1.0, 2.0, np.nan, 6.0], [3.0, 4.0, 5.0, 8.0]])
    effect = mean_over_tasks(values, METHOD, POSITIVE, "nats")
    assert (effect.estimate, effect.n, effect.seeds) == (pytest.approx(4), 3, 2)


RISING, AT_ZERO = curve(1, 2, 3, 4, 5), curve(1, steps=(0,))
# Its changes differ, alike in all tasks.
LINE = curve(*(step**2 for step in range(25)), steps=range(0, 250, 10))
ALL_TASKS, EARLY = {"window": "run"}, {"metric": "loss", "paper_step": 300}
ALIKE = replace(data({"cluster": [LINE]}), similarities=falling().similarities)


@pytest.mark.parametrize(
    ("name", "runs", "options", "message"),
    [
        ("difference", data({"A": [RISING], "B": [AT_ZERO]}), ALL_TASKS, "no common checkpoint"),
        ("equivalence", data({"A": [RISING], "B": [RISING]}), ALL_TASKS, "loss does not fall"),
        ("trend", data({"A": [RISING], "B": [RISING]}), {}, "three buckets"),
        ("early", data({"run": [RISING]}), EARLY, "loss gets no better"),
        ("early", data({"run": [curve(3, 3, 3, 3, 3)]}), EARLY, "loss gets no better"),
        ("steadier", data({"a": [LINE]}, reward={"a": [LINE]}), {"metric": "reward"}, "one run"),
        ("fairer", data({"a": [RISING]}, reward={"a": [RISING]}), {}, "one data set alone"),
        ("follows", falling(count=10), {"measure": "cosine-min"}, "8 changes .* takes 4 blocks"),
        # A fall common to all tasks says nothing about a single one.
        ("follows", ALIKE, {"measure": "cosine-min"}, "0 tasks have a value"),
        ("samples_differ", sampled(1, own=1, luck=0), {}, "with one seed"),
    ],
)
def test_not_testable(name: str, runs: Data, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NotTestableError, match=message):
        effect_of(name, runs, **options)


def two_seeds(**seeds: Sequence[int]) -> Data:
    """Return two runs for each role, with the given seeds."""
    return replace(
        data({role: [LINE] * 2 for role in seeds}),
        runs={"loss": {role: dict.fromkeys(numbers, LINE) for role, numbers in seeds.items()}},
        similarities=falling().similarities,
    )


@pytest.mark.parametrize(
    ("name", "runs", "options", "message"),
    [
        ("sudden", two_seeds(cluster=(0, 1), random=(0, 2)), {}, r"seeds \[0, 2\]"),
        ("follows", two_seeds(cluster=(0, 1)), {"measure": "cosine-min"}, "seed 1: the similarity"),
        ("trend", two_seeds(A=(0, 1), B=(2, 3), C=(4, 5)), {}, "no common seed"),
    ],
)
def test_missing_seeds_are_named(
    name: str, runs: Data, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        effect_of(name, runs, **options)
