"""Tests of claims about metrics: early, steady, fair, and blind to correctness."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import Floats, task_means
from nearfirst.figures.overlap import Group, aucs, overlap, resampled_counts
from nearfirst.figures.reward_distribution import answers
from nearfirst.figures.run import Run, by_label
from nearfirst.metrics import METRICS
from nearfirst.tables.metric_stability import stability, step_of_share
from nearfirst.takeaways.evidence import (
    MAJORITY,
    NEGATIVE,
    Data,
    Effect,
    Method,
    bootstrap_p_value,
    equivalence_test,
)


def early(data: Data, method: Method, metric: str, paper_step: int) -> Effect:
    """Test whether a metric has made 90 % of its change by the paper's step, scaled to the run.

    Steps are resolved to checkpoints, so the bound is the first checkpoint at or after the scaled
    step. The interval and the p-value come from a bootstrap over test units and seeds. A resample
    that does not improve has an infinite step; if the runs themselves do not improve, the claim is
    not testable.
    """
    runs = list(data.runs[metric].values())
    steps = _steps_from_zero(runs)
    sign = -1.0 if METRICS[metric].better == "lower" else 1.0
    curves, units, n = _resampled_curves(runs, method)
    draws = step_of_share(steps, sign * curves, method.stability.end_checkpoints)
    if np.isinf(draws[0]):
        raise InputError(f"{METRICS[metric].name} gets no better, so no step is early or late")
    bound = _scaled_step(steps, paper_step, data)
    low, high = np.quantile(draws[1:], method.tails, method="inverted_cdf")
    return Effect(
        estimate=draws[0],
        low=low,
        high=high,
        p_value=bootstrap_p_value(draws <= bound),
        region=(-inf, bound),
        quantity="step",
        test="bootstrap",
        units=units,
        n=n,
        seeds=len(runs),
    )


def early_tasks(data: Data, method: Method, paper_step: int) -> Effect:
    """Test whether most tasks, averaged over seeds, have made 90 % of their fall by that step.

    The interval is Clopper and Pearson's.
    """
    runs = list(data.runs["loss"].values())
    steps = _steps_from_zero(runs)
    means = np.mean([task_means(run, method.weighting) for run in runs], axis=0)
    reached = step_of_share(steps, -means.T, method.stability.end_checkpoints)
    bound = _scaled_step(steps, paper_step, data)
    n_early, n = int((reached <= bound).sum()), len(reached)
    test = stats.binomtest(n_early, n)
    low, high = test.proportion_ci(method.confidence)
    return Effect(
        estimate=n_early / n,
        low=low,
        high=high,
        p_value=test.pvalue,
        region=MAJORITY,
        quantity=f"of {n} tasks",
        test="sign test",
        units="tasks",
        n=n,
        seeds=len(runs),
        note=f"by step {bound:g}",
    )


def steadier(data: Data, method: Method, metric: str) -> Effect:
    """Test whether the loss has less noise, relative to its change, than another metric.

    The noise is that of `metric_stability.csv`. A t-test of the log ratio, metric over loss, paired
    by run (data set and seed).
    """
    table = stability({name: data.runs[name] for name in ("loss", metric)}, method.stability)
    noise = table[table["seed"] != "all"].pivot(
        index=["dataset", "seed"], columns="metric", values="relative_noise"
    )
    if len(noise) < 2:
        raise InputError("one run alone: no interval")
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratios = np.log(noise[metric] / noise["loss"])
    if not np.isfinite(log_ratios).all():
        title = METRICS[metric].name
        raise InputError(
            f"some run has too few checkpoints for noise, or no change in loss or {title}"
        )
    test = stats.ttest_1samp(log_ratios, 0)
    low, high = np.exp(test.confidence_interval(method.confidence))
    return Effect(
        estimate=np.exp(log_ratios.mean()),
        low=low,
        high=high,
        p_value=test.pvalue,
        region=(1.0, inf),
        quantity="times the noise",
        test="paired t-test",
        units="runs",
        n=len(noise),
        seeds=data.max_seeds(),
    )


def fairer(data: Data, method: Method) -> Effect:
    """Test whether data sets explain less of the variance in loss than in reward.

    Each instance counts with its mean over the last checkpoints and all seeds. The statistic is the
    share of the variance between instances that lies between data sets, equally weighted. Bootstrap
    over tasks.
    """
    by_role = {metric: by_label(data.runs[metric]) for metric in ("loss", "reward")}
    if len(data.roles) < 2:
        raise InputError("one data set alone: nothing to be fair between")
    generator = method.generator()
    moments: dict[str, list[Floats]] = {"loss": [], "reward": []}
    n_units = 0
    for name in data.names:
        ends = {metric: _end_means(by_role[metric][name].values(), method) for metric in moments}
        run = next(iter(by_role["loss"][name].values()))
        shared = ends["loss"].index.intersection(ends["reward"].index)
        unit, names = pd.factorize(run.units.loc[shared], sort=True)
        n_units += len(names)
        counts = resampled_counts(generator, len(names), method.comparison.resamples)[:, unit]
        for metric in moments:
            values = ends[metric].loc[shared].to_numpy()
            mean = counts @ values / counts.sum(axis=1)
            square = counts @ values**2 / counts.sum(axis=1)
            moments[metric].append(np.stack([mean, square - mean**2]))
    shares = {}
    for metric, by_dataset in moments.items():
        means, within = np.stack(by_dataset, axis=1)
        between = means.var(axis=0)
        shares[metric] = between / (between + within.mean(axis=0))
    draws = shares["loss"] - shares["reward"]
    low, high = np.quantile(draws[1:], method.tails)
    return Effect(
        estimate=draws[0],
        low=low,
        high=high,
        p_value=bootstrap_p_value(draws < 0),
        region=NEGATIVE,
        quantity="of variance",
        test="bootstrap",
        units="tasks",
        n=n_units,
        seeds=data.max_seeds(),
        note=f"{100 * shares['loss'][0]:.2g}% against {100 * shares['reward'][0]:.2g}%",
    )


def tells_apart(data: Data, method: Method) -> Effect:
    """Test whether rewards separate right from wrong answers no better than chance (AUC near ½).

    The bootstrap draws units of the test set, each with all its answers of all seeds.
    """
    scores, rewards = data.runs["exact_match"], data.runs["reward"]
    table, _ = answers(scores, rewards)
    run = next(iter(scores.values()))
    unit, names = pd.factorize(table["id"].map(run.units), sort=True)
    reward, is_right = table["reward"].to_numpy(float), table["right"].to_numpy(bool)
    right, wrong = (Group(reward[mask], unit[mask]) for mask in (is_right, ~is_right))
    for name, group in (("right", right), ("wrong", wrong)):
        n_answers, n_units = len(group.values), len(np.unique(group.cluster))
        settings = method.distribution
        if n_answers < settings.min_answers or n_units < settings.min_instances:
            raise InputError(
                f"only {n_answers} {name} answers to {n_units} of {len(names)} {run.unit}s"
            )
    resamples = method.comparison.resamples
    draws = aucs(right, wrong, resampled_counts(method.generator(), len(names), resamples))
    draws = draws[np.isfinite(draws)]
    margin = method.settings.auc_margin
    effect = equivalence_test(draws, 0.5, margin, method, "AUC", len(names), len(scores))
    note = ""
    if min(np.ptp(right.values), np.ptp(wrong.values)) > 0:
        note = f"overlap {overlap(right.values, wrong.values):.2f}"
    return effect._replace(units=f"{run.unit}s", note=note)


def _resampled_curves(runs: Sequence[Run], method: Method) -> tuple[Floats, str, int]:
    """Resample seeds and test units; a test set of one unit is resampled by instance.

    Returns the (1 + resamples, K) mean curves, the name of the units in the plural, and how many
    there are.
    """
    run = runs[0]
    unit, names = pd.factorize(run.units, sort=True)
    n_units, title = len(names), f"{run.unit}s"
    if n_units < 2:
        unit, n_units, title = np.arange(len(unit)), len(unit), "instances"
    weight = run.weights(method.weighting).to_numpy()
    members = np.equal.outer(unit, np.arange(n_units)) * weight[:, None]
    generator, resamples = method.generator(), method.comparison.resamples
    seed_counts = resampled_counts(generator, len(runs), resamples)
    unit_counts = resampled_counts(generator, n_units, resamples)
    sums = sum(
        seed_counts[:, [i]] * (unit_counts @ (run.values.to_numpy() @ members).T)
        for i, run in enumerate(runs)
    )
    totals = seed_counts.sum(axis=1) * (unit_counts @ members.sum(axis=0))
    return np.asarray(sums / totals[:, None]), title, n_units


def _end_means(runs: Iterable[Run], method: Method) -> "pd.Series[float]":
    """Return the (instances,) mean over seeds and the last checkpoints after step 0."""
    n_last = method.stability.end_checkpoints
    return pd.concat([run.values.iloc[1:].tail(n_last).mean() for run in runs], axis=1).mean(axis=1)


def _steps_from_zero(runs: Iterable[Run]) -> npt.NDArray[Any]:
    """Return the steps of runs, which must start at 0 and have a later checkpoint."""
    for run in runs:
        steps = run.values.index.to_numpy()
        if steps[0] != 0 or len(steps) < 2:
            raise InputError("the runs do not begin at step 0, or end there")
    return np.asarray(steps)


def _scaled_step(steps: npt.NDArray[Any], paper_step: int, data: Data) -> float:
    """Return the first checkpoint at or after the paper's step, scaled to the run."""
    assert data.paper_steps is not None
    scaled = min(paper_step, data.paper_steps) * steps[-1] / data.paper_steps
    return float(steps[1:][steps[1:] >= scaled][0])
