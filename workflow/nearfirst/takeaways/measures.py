"""Tests of claims about metrics: early, steady, fair, and blind to what is right."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.figures.curves import task_means
from nearfirst.figures.overlap import Group, aucs, density, grid, overlap
from nearfirst.figures.reward_distribution import answers
from nearfirst.figures.run import Run
from nearfirst.metrics import METRICS
from nearfirst.tables.metric_stability import stability
from nearfirst.takeaways.evidence import (
    NEGATIVE,
    Data,
    Effect,
    Floats,
    Method,
    NotTestableError,
    bootstrap_p,
    near,
    share_of,
)

SHARE = 0.9
"""Share of its change that a metric must have made, as the claims say."""


def early(data: Data, method: Method, metric: str, paper_step: int) -> Effect:
    """Test whether a metric has made 90 % of its change by the paper's step, scaled to the run.

    The step is known to a checkpoint only, so the bound is the first checkpoint at or after the
    paper's step times the run's steps over those of the paper's run. The interval and the p-value
    are of a bootstrap over units of the test set and seeds. A resample in which the metric gets no
    better never makes its change; if it is so in the sample, the claim cannot be tested.
    """
    (runs,) = data.runs[metric].values()
    its = list(runs.values())
    steps = _steps_from_zero(its)
    sign = -1.0 if METRICS[metric].better == "lower" else 1.0
    curves, units, n = _resampled_curves(its, method)
    found = step_of_share(steps, sign * curves, method.stability.end_checkpoints)
    if np.isinf(found[0]):
        raise NotTestableError(
            f"{METRICS[metric].name} gets no better, so no step is early or late"
        )
    bound = _bound(steps, paper_step, data)
    low, high = np.quantile(found[1:], method.tails, method="inverted_cdf")
    return Effect(
        estimate=float(found[0]),
        low=float(low),
        high=float(high),
        p_value=bootstrap_p(found <= bound),
        region=(-inf, bound),
        quantity="step",
        test="bootstrap",
        units=units,
        n=n,
        seeds=len(its),
    )


def early_tasks(data: Data, method: Method, paper_step: int) -> Effect:
    """Test whether most tasks, as means over seeds, have made 90 % of their fall by then."""
    (runs,) = data.runs["loss"].values()
    its = list(runs.values())
    steps = _steps_from_zero(its)
    means = np.mean([task_means(run, method.weighting) for run in its], axis=0)
    found = step_of_share(steps, -means.T, method.stability.end_checkpoints)
    bound = _bound(steps, paper_step, data)
    effect = share_of(int((found <= bound).sum()), len(found), method, "tasks", len(its))
    return effect._replace(note=f"by step {bound:g}")


def step_of_share(steps: npt.NDArray[Any], curves: Floats, last: int) -> Floats:
    """Return the first step at which rising (…, K) curves have made 90 % of their change.

    The change is to the mean of the `last` checkpoints after the first, as in
    `metric_stability.csv`; a curve that does not rise never makes it, which is an infinite step.
    """
    start = curves[..., :1]
    change = curves[..., 1:][..., -last:].mean(axis=-1, keepdims=True) - start
    there = (curves - start >= SHARE * change) & (change > 0)
    return np.where(there.any(axis=-1), steps[there.argmax(axis=-1)], np.inf)


def steadier(data: Data, method: Method, metric: str) -> Effect:
    """Test whether the loss has less noise, relative to its change, than another metric.

    The noise is that of `metric_stability.csv`. A t-test of the logarithm of the ratio, metric over
    loss, paired by run: data set and seed.
    """
    table = stability({name: data.keyed(name) for name in ("loss", metric)}, method.stability)
    noise = table[table["seed"] != "all"].pivot(
        index=["dataset", "seed"], columns="metric", values="relative_noise"
    )
    if len(noise) < 2:
        raise NotTestableError("one run alone: no interval")
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms = np.log(noise[metric] / noise["loss"])
    if not np.isfinite(logarithms).all():
        title = METRICS[metric].name
        raise NotTestableError(
            f"some run has too few checkpoints for noise, or no change in loss or {title}"
        )
    test = stats.ttest_1samp(logarithms, 0)
    low, high = np.exp(test.confidence_interval(method.confidence))
    return Effect(
        estimate=float(np.exp(logarithms.mean())),
        low=float(low),
        high=float(high),
        p_value=float(test.pvalue),
        region=(1.0, inf),
        quantity="times the noise",
        test="paired t-test",
        units="runs",
        n=len(noise),
        seeds=max(len(runs) for runs in data.runs["loss"].values()),
    )


def fairer(data: Data, method: Method) -> Effect:
    """Test whether data sets explain less of the variance in loss than in reward.

    Of the mean of the last checkpoints and of all seeds: the share of the variance between
    instances that lies between data sets, each with the same weight. Bootstrap over tasks.
    """
    if len(data.roles()) < 2:
        raise NotTestableError("one data set alone: nothing to be fair between")
    resamples = method.comparison.resamples
    generator = method.generator()
    parts: dict[str, list[Floats]] = {"loss": [], "reward": []}
    units = 0
    for role in data.roles():
        ends = {name: _end(data.runs[name][role].values(), method) for name in parts}
        run = next(iter(data.runs["loss"][role].values()))
        shared = ends["loss"].index.intersection(ends["reward"].index)
        unit, names = pd.factorize(run.units.loc[shared], sort=True)
        units += len(names)
        drawn = generator.multinomial(len(names), [1 / len(names)] * len(names), resamples)
        counts = np.concatenate([np.ones((1, len(names))), drawn])[:, unit]
        for name in parts:
            values = ends[name].loc[shared].to_numpy()
            mean = counts @ values / counts.sum(axis=1)
            square = counts @ values**2 / counts.sum(axis=1)
            parts[name].append(np.stack([mean, square - mean**2]))
    shares = {}
    for name, each in parts.items():
        means, within = np.stack(each, axis=1)
        apart = means.var(axis=0)
        shares[name] = apart / (apart + within.mean(axis=0))
    found = shares["loss"] - shares["reward"]
    low, high = np.quantile(found[1:], method.tails)
    return Effect(
        estimate=float(found[0]),
        low=float(low),
        high=float(high),
        p_value=bootstrap_p(found < 0),
        region=NEGATIVE,
        quantity="of variance",
        test="bootstrap",
        units="tasks",
        n=units,
        seeds=max(len(runs) for runs in data.runs["loss"].values()),
        note=f"{100 * shares['loss'][0]:.2g}% against {100 * shares['reward'][0]:.2g}%",
    )


def tells_apart(data: Data, method: Method) -> Effect:
    """Test whether the AUC of rewards of right against wrong answers is near a half.

    The bootstrap draws units of the test set, each with all its answers of all seeds.
    """
    scores, rewards = data.keyed("exact_match"), data.keyed("reward")
    table, _ = answers(scores, rewards, method.distribution.checkpoints)
    run = next(iter(scores.values()))
    unit, names = pd.factorize(table["id"].map(run.units), sort=True)
    reward, is_right = table["reward"].to_numpy(float), table["right"].to_numpy(bool)
    right, wrong = (Group(reward[its], unit[its]) for its in (is_right, ~is_right))
    for name, group in (("right", right), ("wrong", wrong)):
        few = len(group.values) < method.distribution.min_answers
        if few or len(np.unique(group.cluster)) < method.distribution.min_instances:
            of = f"{len(group.values)} {name} answers to {len(np.unique(group.cluster))}"
            raise NotTestableError(f"only {of} of {len(names)} {run.unit}s")
    drawn = method.generator().multinomial(
        len(names), [1 / len(names)] * len(names), method.comparison.resamples
    )
    found = aucs(right, wrong, np.concatenate([np.ones((1, len(names))), drawn]))
    found = found[np.isfinite(found)]
    margin = method.settings.auc_margin
    effect = near(found, 0.5, margin, method, "AUC", len(names), len(scores))
    note = ""
    if min(np.ptp(right.values), np.ptp(wrong.values)) > 0:
        points = grid(right.values, wrong.values)
        shared = overlap(density(right.values, points), density(wrong.values, points), points)
        note = f"overlap {shared:.2f}"
    return effect._replace(units=f"{run.unit}s", note=note)


def _resampled_curves(runs: Sequence[Run], method: Method) -> tuple[Floats, str, int]:
    """Return the (1 + resamples, K) mean curves of resampled seeds and units, and the units.

    These are named and counted. A test set of one unit has its instances in place of units.
    """
    run = runs[0]
    unit, names = pd.factorize(run.units, sort=True)
    name = f"{run.unit}s"
    if len(names) < 2:
        unit, names, name = np.arange(len(unit)), run.values.columns, "instances"
    weight = run.weights(method.weighting).to_numpy()
    members = np.equal.outer(unit, np.arange(len(names))) * weight[:, None]
    generator, resamples = method.generator(), method.comparison.resamples
    drawn = [
        np.concatenate([np.ones((1, n)), generator.multinomial(n, [1 / n] * n, resamples)])
        for n in (len(runs), len(names))
    ]
    of_seeds, of_units = drawn
    sums = sum(
        of_seeds[:, [at]] * (of_units @ (its.values.to_numpy() @ members).T)
        for at, its in enumerate(runs)
    )
    whole = of_seeds.sum(axis=1) * (of_units @ members.sum(axis=0))
    return np.asarray(sums / whole[:, None]), name, len(names)


def _end(runs: Iterable[Run], method: Method) -> "pd.Series[float]":
    """Return the (instances,) mean of the last checkpoints after step 0, over seeds."""
    last = method.stability.end_checkpoints
    return pd.concat([run.values.iloc[1:].tail(last).mean() for run in runs], axis=1).mean(axis=1)


def _steps_from_zero(runs: Iterable[Run]) -> npt.NDArray[Any]:
    """Return the steps of runs, which must begin at 0 and go on."""
    for run in runs:
        steps = run.values.index.to_numpy()
        if steps[0] != 0 or len(steps) < 2:
            raise NotTestableError("the runs do not begin at step 0, or end there")
    return np.asarray(steps)


def _bound(steps: npt.NDArray[Any], paper_step: int, data: Data) -> float:
    """Return the first checkpoint at or after the paper's step, scaled to the run."""
    assert data.paper_steps is not None
    scaled = paper_step * steps[-1] / data.paper_steps
    return float(steps[1:][steps[1:] >= scaled][0])
