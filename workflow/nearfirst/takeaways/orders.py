"""Tests of claims about orders of the training data."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison import END, RUN
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.curves import mean_curve, task_means
from nearfirst.figures.prediction import correlation
from nearfirst.figures.run import by_label, common_steps, common_tasks
from nearfirst.takeaways.evidence import (
    NEGATIVE,
    POSITIVE,
    Data,
    Effect,
    Method,
    mean_over_tasks,
)


def difference(data: Data, method: Method, window: str) -> Effect:
    """Test whether the first order has a lower loss than the second, using `paired_comparison`.

    The window is `run`, `end`, `first half` or `second half` of their checkpoints after step 0.
    """
    return _compare(data, data.names, method, window)


def between(data: Data, method: Method, window: str) -> Effect:
    """Test whether the loss of the second order lies between those of the first and the third.

    Both differences must be negative, so the one with the weaker evidence counts (an
    intersection-union test). Either can refute the claim, so a p-value against it is doubled.
    """
    first, second, third = data.names
    pairs = ((first, second), (second, third))
    effects = [_compare(data, pair, method, window) for pair in pairs]
    weaker = max(effects, key=lambda e: e.p_value if e.estimate < 0 else 2 - e.p_value)
    name = " − ".join(pairs[effects.index(weaker)])
    p_value = weaker.p_value if weaker.estimate < 0 else min(1.0, 2 * weaker.p_value)
    return weaker._replace(p_value=p_value, test="sign flips, weaker of two", note=name)


def equivalence(data: Data, method: Method, window: str) -> Effect:
    """Test whether two orders differ by less than a margin, by two one-sided tests.

    Each is the test of `difference` with the second order's losses shifted by the margin, which is
    a share (`loss_margin`) of the fall of the second order's mean loss in its run.
    """
    ours, theirs = data.names
    runs = by_label(data.runs["loss"])[theirs].values()
    curves = [mean_curve(run, method.weighting) for run in runs]
    if any(curve.index[0] != 0 for curve in curves):
        raise InputError("the runs do not begin at step 0")
    fall = float(np.mean([curve.iloc[0] - curve.iloc[-1] for curve in curves]))
    if fall <= 0:
        raise InputError("the loss does not fall")
    margin = method.settings.loss_margin * fall
    effect = _compare(data, (ours, theirs), method, window)
    above, below = (
        _compare(data, (ours, theirs), method, window, shift) for shift in (margin, -margin)
    )
    p_value = max(
        above.p_value / 2 if above.estimate < 0 else 1 - above.p_value / 2,
        below.p_value / 2 if below.estimate > 0 else 1 - below.p_value / 2,
    )
    if abs(effect.estimate) > margin:
        p_value = above.p_value if effect.estimate > 0 else below.p_value
    return effect._replace(
        p_value=p_value, region=(-margin, margin), test="equivalence, sign flips"
    )


def _compare(
    data: Data, roles: Sequence[str], method: Method, window: str, shift: float = 0.0
) -> Effect:
    """Compare the first role with the second, whose losses are raised by `shift` nats.

    The figure's other orders take part, since the variance over seeds is pooled.
    """
    ours, theirs = roles
    # An arrangement may have the name of a role.
    others = {(f"others: {name}", seed): run for (name, seed), run in data.others.items()}
    runs = {**data.runs["loss"], **others}
    if not (steps := common_steps(runs.values())):
        raise InputError(f"{ours} and {theirs} have no common checkpoint after step 0")
    if window == "first half":
        steps = [step for step in steps if 2 * step <= steps[-1]]
    elif window == "second half":
        steps = [step for step in steps if 2 * step > steps[-1]]
    if not steps:
        raise InputError(f"no common checkpoint in the {window}")
    shifted = {
        key: replace(run, values=run.values.loc[steps] + shift * (key[0] == theirs))
        for key, run in runs.items()
    }
    settings = method.comparison.model_copy(update={"confidence": method.confidence})
    table = paired_comparison(shifted, ours, settings, weighting=method.weighting)
    question = table["question"] == (END if window == "end" else RUN)
    row = table[question & (table["comparison"] == f"{ours}-{theirs}")].iloc[0]
    return Effect(
        estimate=row["difference"],
        low=row["low"],
        high=row["high"],
        p_value=row["p_value"],
        region=NEGATIVE,
        quantity="nats",
        test="sign flips",
        units=f"{row['units']}s",
        n=row["tasks"] if row["units"] == "task" else row["instances"],
        seeds=row["seeds"],
    )


def trend(data: Data, method: Method) -> Effect:
    """Test whether a task's mean loss rises from bucket to bucket of rounds: Page's trend test.

    Tasks are the blocks. Means are over seeds and the checkpoints that all buckets have. The effect
    is Spearman's correlation of bucket and loss, averaged over tasks and seeds.
    """
    buckets = by_label(data.runs["loss"])
    if len(buckets) < 3:
        raise InputError("a trend needs three buckets of rounds or more")
    runs = data.runs["loss"].values()
    if not (steps := common_steps(runs)):
        raise InputError("the buckets have no common checkpoint after step 0")
    tasks = common_tasks(runs)
    seeds = sorted(set.intersection(*map(set, buckets.values())))
    if not seeds:
        raise InputError("the buckets have no common seed")
    # (seeds, tasks, buckets)
    losses = np.array(
        [
            [
                task_means(by_seed[seed], method.weighting).loc[steps, tasks].mean()
                for by_seed in buckets.values()
            ]
            for seed in seeds
        ]
    ).swapaxes(1, 2)
    ranks = list(range(1, len(buckets) + 1))
    correlations = correlation(losses, np.broadcast_to(ranks, losses.shape))
    effect = mean_over_tasks(correlations, method, POSITIVE, "correlation")
    one_sided = [
        stats.page_trend_test(losses.mean(axis=0), predicted_ranks=predicted).pvalue
        for predicted in (ranks, ranks[::-1])
    ]
    return effect._replace(p_value=min(1.0, 2 * min(one_sided)), test="Page's trend test")
