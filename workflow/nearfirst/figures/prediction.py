"""Does similarity distance predict loss? Rank correlations with bootstrap intervals."""

from collections.abc import Mapping
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import task_means
from nearfirst.figures.run import Key, Runs, Similarity, common_tasks, similarity_of
from nearfirst.figures.settings import BETWEEN, OVER_CHECKPOINTS, OVER_TASKS, POOLED

Floats = npt.NDArray[np.float64]
K = TypeVar("K")


def prediction(
    runs: Runs,
    similarities: Mapping[Key, Similarity],
    weighting: str,
    confidence: float,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return Spearman's rank correlation of each measure's distance SD_k with loss.

    Over the unseen tasks and the checkpoints after step 0 that all runs have:

    pooled
        All (run, task, checkpoint) at once.
    over checkpoints
        Along each run and task, averaged over these. Like `pooled` it is confounded with time: any
        two falling curves correlate.
    over tasks
        Across the tasks at each checkpoint of a run, averaged: how well the measure ranks the
        tasks. Confounded with how hard they are.
    between arrangements
        At each checkpoint, across the tasks, the difference in distance between two arrangements
        with their difference in loss at the same task and step, averaged over checkpoints. Means
        over seeds; every pair of arrangements, in both directions. Only with two or more labels.

    Series without a correlation, because all distances or all losses are equal, are left out of the
    means and counted. Intervals are percentiles of a bootstrap that draws tasks and, within each
    label, seeds; every resample is ranked again.

    Parameters
    ----------
    runs, similarities
        By label and seed, at the same steps.
    weighting
        See `curves.mean_curve`.
    confidence, resamples, seed
        Of the bootstrap.

    Returns
    -------
    Columns measure, statistic, mean (the correlation), low, high, n (tasks), runs, checkpoints,
    left_out (series), confidence. NaN if no series has a correlation.

    Raises
    ------
    InputError
        If a similarity is missing or of other steps than the losses, or if there are fewer than
        two common checkpoints or tasks.
    """
    loss, distances = _cubes(runs, similarities, weighting)
    labels = np.array([label for label, _ in runs])
    sample = [np.arange(len(labels)), np.arange(loss.shape[-1])]
    # Along a run nothing is drawn, so that these correlations are the same in all resamples.
    along = correlation(loss.swapaxes(1, 2), distances.swapaxes(2, 3))
    series = _series(loss, distances, along, labels, *sample)
    found = {name: [values] for name, values in _means(series).items()}
    for drawn in _draws(labels, loss.shape[-1], resamples, seed):
        for name, values in _means(_series(loss, distances, along, labels, *drawn)).items():
            found[name].append(values)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for at, measure in enumerate(next(iter(similarities.values()))):
        for name, all_values in found.items():
            values = np.array([of_measures[at] for of_measures in all_values])
            some = values[1:][np.isfinite(values[1:])]
            low, high = np.quantile(some, tails) if len(some) else (np.nan, np.nan)
            lost = np.isnan(series[name][at]).sum()
            rows.append((measure, name, values[0], low, high, lost))
    table = pd.DataFrame(rows, columns=["measure", "statistic", "mean", "low", "high", "left_out"])
    for place, name in enumerate(("runs", "checkpoints", "n")):
        table[name] = loss.shape[place]
    table["confidence"] = confidence
    counts = ["n", "runs", "checkpoints", "left_out", "confidence"]
    return table[["measure", "statistic", "mean", "low", "high", *counts]]


def between_arrangements(
    runs: Runs, similarities: Mapping[Key, Similarity], weighting: str, resamples: int, seed: int
) -> pd.DataFrame:
    """Return the correlations `between arrangements` of `prediction`, and those of its resamples.

    Returns
    -------
    (1 + resamples) rows, the sample first, and a column for each measure.

    Raises
    ------
    InputError
        As `prediction`, or if there is only one label.
    """
    labels = np.array([label for label, _ in runs])
    if len(set(labels)) < 2:
        raise InputError(f"{labels[0]} alone: a correlation between arrangements needs two")
    loss, distances = _cubes(runs, similarities, weighting)
    sample = [np.arange(len(labels)), np.arange(loss.shape[-1])]
    drawn = [sample, *_draws(labels, loss.shape[-1], resamples, seed)]
    found = {
        number: _between(loss[its][..., tasks], distances[:, its][..., tasks], labels[its])
        for number, (its, tasks) in enumerate(drawn)
    }
    columns = list(next(iter(similarities.values())))
    return pd.DataFrame.from_dict(_means(found), orient="index", columns=columns)


def correlation(one: Floats, other: Floats) -> Floats:
    """Return Spearman's correlation along the last axis; NaN where all values are equal."""
    first, second = (stats.rankdata(x, axis=-1) - (x.shape[-1] + 1) / 2 for x in (one, other))
    spread = (first**2).sum(axis=-1) * (second**2).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray((first * second).sum(axis=-1) / np.sqrt(spread))


def _cubes(
    runs: Runs, similarities: Mapping[Key, Similarity], weighting: str
) -> tuple[Floats, Floats]:
    """Return the (runs, checkpoints, tasks) losses, and distances with measures before these."""
    tasks = common_tasks(runs.values())
    steps = set.intersection(*(set(run.values.index) for run in runs.values())) - {0}
    for count, what in ((len(tasks), "unseen tasks"), (len(steps), "checkpoints after step 0")):
        if count < 2:
            raise InputError(f"{count} {what} are in all runs; a correlation needs two")
    losses = [task_means(run, weighting).loc[sorted(steps), tasks] for run in runs.values()]
    tables = [similarity_of(similarities, key, run) for key, run in runs.items()]
    distances = [[its[name].loc[sorted(steps), tasks] for its in tables] for name in tables[0]]
    return np.array(losses), np.array(distances)


def _draws(
    labels: npt.NDArray[np.str_], tasks: int, resamples: int, seed: int
) -> list[list[npt.NDArray[np.intp]]]:
    """Return the numbers of the runs and of the tasks that each resample draws."""
    generator = np.random.default_rng(seed)
    of_tasks = generator.multinomial(tasks, [1 / tasks] * tasks, resamples)
    of_runs = np.empty((resamples, len(labels)), dtype=int)
    for label in dict.fromkeys(labels):
        its = labels == label
        of_runs[:, its] = generator.multinomial(its.sum(), [1 / its.sum()] * its.sum(), resamples)
    return [
        [np.repeat(np.arange(len(counts)), counts) for counts in pair]
        for pair in zip(of_runs, of_tasks, strict=True)
    ]


def _series(
    loss: Floats,
    distances: Floats,
    along: Floats,
    labels: npt.NDArray[np.str_],
    runs: npt.NDArray[np.intp],
    tasks: npt.NDArray[np.intp],
) -> dict[str, Floats]:
    """Return the (measures, series) correlations of each statistic in a resample."""
    loss, distances = loss[runs][..., tasks], distances[:, runs][..., tasks]
    count = len(distances)
    found = {
        POOLED: correlation(loss.ravel(), distances.reshape(count, -1))[:, None],
        OVER_CHECKPOINTS: along[:, runs][..., tasks].reshape(count, -1),
        OVER_TASKS: correlation(loss, distances).reshape(count, -1),
    }
    if len(set(labels)) > 1:
        found[BETWEEN] = _between(loss, distances, labels[runs])
    return found


def _between(loss: Floats, distances: Floats, labels: npt.NDArray[np.str_]) -> Floats:
    """Return the (measures, checkpoints) correlations of differences between labels."""
    return correlation(*(_differences(values, labels) for values in (loss, distances)))


def _differences(values: Floats, labels: npt.NDArray[np.str_]) -> Floats:
    """Return the (…, checkpoints, pairs · tasks) differences of labels, each in both directions."""
    means = [values[..., labels == name, :, :].mean(axis=-3) for name in dict.fromkeys(labels)]
    ours = np.concatenate([one - other for one, other in combinations(means, 2)], axis=-1)
    return np.concatenate([ours, -ours], axis=-1)


def _means(series: Mapping[K, Floats]) -> dict[K, Floats]:
    """Return the (measures,) means of each statistic without NaN; NaN if nothing else is there."""
    with np.errstate(invalid="ignore"):
        return {
            name: np.nansum(each, axis=1) / np.isfinite(each).sum(axis=1)
            for name, each in series.items()
        }
