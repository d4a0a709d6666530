"""Tests of claims about orders of the training data."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from nearfirst.figures.comparison import END, RUN
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.curves import mean_curve, task_means
from nearfirst.figures.prediction import correlation
from nearfirst.figures.run import common_tasks
from nearfirst.takeaways.evidence import (
    NEGATIVE,
    POSITIVE,
    Data,
    Effect,
    Method,
    NotTestableError,
    over_tasks,
)


def difference(data: Data, method: Method, window: str) -> Effect:
    """Test whether the first order has a lower loss than the second, as `paired_comparison` does.

    Parameters
    ----------
    window
        `run`, `end`, `first half` or `second half`: of the checkpoints after step 0 of both.
    """
    return _paired(data, data.roles(), method, window)


def between(data: Data, method: Method, window: str) -> Effect:
    """Test whether the second order lies between the first and the third.

    It must be above the one and below the other, so the difference with the weaker evidence counts
    (an intersection-union test). Either can refute it, so a p-value against it counts for two.
    """
    first, second, third = data.roles()
    both = [_paired(data, pair, method, window) for pair in ((first, second), (second, third))]
    weaker = max(both, key=lambda it: it.p_value if it.estimate < 0 else 2 - it.p_value)
    name = f"{first} − {second}" if weaker is both[0] else f"{second} − {third}"
    p_value = weaker.p_value if weaker.estimate < 0 else min(1.0, 2 * weaker.p_value)
    return weaker._replace(p_value=p_value, test="sign flips, weaker of two", note=name)


def equivalence(data: Data, method: Method, window: str) -> Effect:
    """Test whether two orders differ by less than a margin: two one-sided tests.

    Each is that of `difference` with the second order's losses moved by the margin, which is a
    share (`loss_margin`) of the fall of the second order's mean loss in its run.
    """
    ours, theirs = data.roles()
    curves = [mean_curve(run, method.weighting) for run in data.runs["loss"][theirs].values()]
    if any(curve.index[0] != 0 for curve in curves):
        raise NotTestableError("the runs do not begin at step 0")
    fall = float(np.mean([curve.iloc[0] - curve.iloc[-1] for curve in curves]))
    if fall <= 0:
        raise NotTestableError("the loss does not fall")
    margin = method.settings.loss_margin * fall
    plain = _paired(data, (ours, theirs), method, window)
    moved = [_paired(data, (ours, theirs), method, window, by) for by in (margin, -margin)]
    # Of the two one-sided tests, against a difference above the margin and one below minus it.
    sides = [
        it.p_value / 2 if sign * it.estimate > 0 else 1 - it.p_value / 2
        for it, sign in zip(moved, (-1, 1), strict=True)
    ]
    p_value = max(sides)
    if abs(plain.estimate) > margin:
        p_value = moved[0].p_value if plain.estimate > 0 else moved[1].p_value
    return plain._replace(p_value=p_value, region=(-margin, margin), test="equivalence, sign flips")


def _paired(
    data: Data, roles: Sequence[str], method: Method, window: str, by: float = 0.0
) -> Effect:
    """Compare the first role with the second, whose losses are raised by some nats.

    The comparison is one of those with all that the figure shows.
    """
    ours, theirs = roles
    runs = data.keyed()
    runs |= {(name, seed): run for name, its in data.beside.items() for seed, run in its.items()}
    common = set.intersection(*(set(run.values.index) for run in runs.values())) - {0}
    if not (steps := sorted(common)):
        raise NotTestableError(f"{ours} and {theirs} have no common checkpoint after step 0")
    halves = {
        "first half": [step for step in steps if 2 * step <= steps[-1]],
        "second half": [step for step in steps if 2 * step > steps[-1]],
    }
    if not (its := halves.get(window, steps)):
        raise NotTestableError(f"no common checkpoint in the {window}")
    kept = {
        key: replace(run, values=run.values.loc[its] + by * (key[0] == theirs))
        for key, run in runs.items()
    }
    settings = method.comparison.model_copy(update={"confidence": method.confidence})
    table = paired_comparison(
        kept,
        ours,
        settings,
        weighting=method.weighting,
    )
    question = table["question"] == (END if window == "end" else RUN)
    row = table[question & (table["comparison"] == f"{ours}-{theirs}")].iloc[0]
    return Effect(
        estimate=float(row["difference"]),
        low=float(row["low"]),
        high=float(row["high"]),
        p_value=float(row["p_value"]),
        region=NEGATIVE,
        quantity="nats",
        test="sign flips",
        units=f"{row['units']}s",
        n=int(row["tasks"] if row["units"] == "task" else row["instances"]),
        seeds=int(row["seeds"]),
    )


def trend(data: Data, method: Method) -> Effect:
    """Test whether a task's mean loss rises from bucket to bucket of rounds: Page's trend test.

    Tasks are the blocks; means are over seeds and the checkpoints that all buckets have. The effect
    is Spearman's correlation of bucket and loss, averaged over tasks and seeds.
    """
    its = data.runs["loss"]
    if len(its) < 3:
        raise NotTestableError("a trend needs three buckets of rounds or more")
    steps = sorted(
        set.intersection(*(set(run.values.index) for runs in its.values() for run in runs.values()))
        - {0}
    )
    if not steps:
        raise NotTestableError("the buckets have no common checkpoint after step 0")
    tasks = common_tasks(run for runs in its.values() for run in runs.values())
    seeds = sorted(set.intersection(*(set(runs) for runs in its.values())))
    # (seeds, tasks, buckets)
    losses = np.array(
        [
            [task_means(its[role][seed], method.weighting).loc[steps, tasks].mean() for role in its]
            for seed in seeds
        ]
    ).swapaxes(1, 2)
    places = np.arange(1.0, losses.shape[-1] + 1)
    found = correlation(losses, np.broadcast_to(places, losses.shape))
    effect = over_tasks(found, method, POSITIVE, "correlation")
    ranks = [int(place) for place in places]
    page = [
        float(stats.page_trend_test(losses.mean(axis=0), predicted_ranks=order).pvalue)
        for order in (ranks, ranks[::-1])
    ]
    return effect._replace(p_value=min(1.0, 2 * min(page)), test="Page's trend test")
