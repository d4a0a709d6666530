"""Does similarity distance predict loss? Rank correlations with bootstrap intervals."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import Floats, task_means
from nearfirst.figures.read import read_similarities, results_of, runs_of
from nearfirst.figures.run import (
    Key,
    Runs,
    Similarity,
    common_steps,
    common_tasks,
)
from nearfirst.figures.settings import BETWEEN, CurveSettings, PredictionSettings

Indices = npt.NDArray[np.intp]
Labels = npt.NDArray[np.str_]


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the correlations of a figure of kind `prediction` (`Figure.compute`)."""
    table = prediction(
        runs_of(figure, tables),
        results_of(read_similarities(tables), figure),
        settings.curves,
        settings.prediction,
    )
    return [table]


def prediction(
    runs: Runs,
    similarities: Mapping[Key, Similarity],
    curves: CurveSettings,
    settings: PredictionSettings,
) -> pd.DataFrame:
    """Return Spearman's rank correlation of each measure's distance SD_k with loss.

    Over the unseen tasks and the checkpoints after step 0 that all runs share:

    pooled
        All (run, task, checkpoint) at once.
    over checkpoints
        Along each run and task, averaged. Like `pooled`, it is confounded with time: any two
        falling curves correlate.
    over tasks
        Across the tasks at each checkpoint of a run, averaged: how well the measure ranks the
        tasks. Confounded with how hard they are.
    between arrangements
        Difference in distance between two arrangements with their difference in loss at the same
        task and step (means over seeds), across the tasks and every pair of arrangements in both
        directions, averaged over checkpoints. Only with two or more labels.

    Series without a correlation, because all distances or all losses are equal, are left out of the
    means and counted. Intervals are percentiles of a bootstrap that draws tasks and seeds, the same
    seeds for all labels that have them; every resample is ranked again. `runs` and `similarities`
    must have the same steps. Raises InputError if all runs share fewer than two checkpoints, or
    fewer than two tasks.

    Returns
    -------
    Columns measure, statistic, mean (the correlation), low, high, n (tasks), runs, checkpoints,
    left_out (series), confidence. NaN if no series has a correlation.
    """
    loss, distances = _stack_runs(runs, similarities, curves.weighting)
    labels = np.array([label for label, _ in runs])
    # Runs keep all their checkpoints, so these correlations are the same in all resamples.
    along = correlation(loss.swapaxes(1, 2), distances.swapaxes(2, 3))
    drawn = _bootstrap(runs, loss.shape[-1], settings.resamples, settings.seed)
    series = _correlate(loss, distances, along, labels, *drawn[0])
    means = [
        {name: _mean(each) for name, each in resample.items()}
        for resample in (_correlate(loss, distances, along, labels, *indices) for indices in drawn)
    ]
    tails = [(1 - curves.confidence) / 2, (1 + curves.confidence) / 2]
    n_runs, n_checkpoints, n_tasks = loss.shape
    rows = []
    for i, measure in enumerate(next(iter(similarities.values()))):
        for name in series:
            value, *bootstrap = (by_statistic[name][i] for by_statistic in means)
            finite = [x for x in bootstrap if np.isfinite(x)]
            low, high = np.quantile(finite, tails) if finite else (np.nan, np.nan)
            rows.append(
                {
                    "measure": measure,
                    "statistic": name,
                    "mean": value,
                    "low": low,
                    "high": high,
                    "n": n_tasks,
                    "runs": n_runs,
                    "checkpoints": n_checkpoints,
                    "left_out": np.isnan(series[name][i]).sum(),
                    "confidence": curves.confidence,
                }
            )
    return pd.DataFrame(rows)


def between_arrangements(
    runs: Runs, similarities: Mapping[Key, Similarity], weighting: str, resamples: int, seed: int
) -> pd.DataFrame:
    """Return the `between arrangements` correlations of `prediction`, with their bootstrap.

    The table has (1 + resamples) rows, of which the first is the sample, and a column for each
    measure. Raises InputError like `prediction`, and if there is only one label.
    """
    labels = np.array([label for label, _ in runs])
    if len(set(labels)) < 2:
        raise InputError(f"only {labels[0]}: a correlation between arrangements needs two of them")
    loss, distances = _stack_runs(runs, similarities, weighting)
    means = [
        _mean(_between(loss[drawn][..., tasks], distances[:, drawn][..., tasks], labels[drawn]))
        for drawn, tasks in _bootstrap(runs, loss.shape[-1], resamples, seed)
    ]
    return pd.DataFrame(means, columns=list(next(iter(similarities.values()))))


def correlation(x: Floats, y: Floats) -> Floats:
    """Return Spearman's correlation along the last axis; NaN where all values are equal."""
    x, y = (stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2 for values in (x, y))
    spread = (x**2).sum(axis=-1) * (y**2).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray((x * y).sum(axis=-1) / np.sqrt(spread))


def _stack_runs(
    runs: Runs, similarities: Mapping[Key, Similarity], weighting: str
) -> tuple[Floats, Floats]:
    """Return (runs, checkpoints, tasks) losses and (measures, runs, checkpoints, tasks) distances.

    Both hold only the tasks and checkpoints that all runs share.
    """
    tasks = common_tasks(runs.values())
    steps = common_steps(runs.values())
    for count, what in ((len(tasks), "unseen tasks"), (len(steps), "checkpoints after step 0")):
        if count < 2:
            raise InputError(f"{count} {what} are in all runs; a correlation needs two")
    losses = [task_means(run, weighting).loc[steps, tasks] for run in runs.values()]
    tables = [similarities[key] for key in runs]
    distances = [[table[name].loc[steps, tasks] for table in tables] for name in tables[0]]
    return np.array(losses), np.array(distances)


def _bootstrap(runs: Runs, tasks: int, resamples: int, seed: int) -> list[tuple[Indices, Indices]]:
    """Return run and task indices: those of the sample, then those of each resample.

    Labels with the same seeds are drawn together: their runs with one seed may share a base model,
    which cancels in a difference between labels only if both are there.
    """
    generator = np.random.default_rng(seed)
    task_counts = generator.multinomial(tasks, [1 / tasks] * tasks, resamples)
    seeds_of: dict[str, tuple[int, ...]] = {}
    for label, number in runs:
        seeds_of[label] = tuple(sorted((*seeds_of.get(label, ()), number)))
    drawn = {
        seeds: generator.multinomial(len(seeds), [1 / len(seeds)] * len(seeds), resamples)
        for seeds in dict.fromkeys(seeds_of.values())
    }
    run_counts = np.stack(
        [drawn[seeds_of[label]][:, seeds_of[label].index(number)] for label, number in runs], axis=1
    )
    sample = np.arange(len(runs)), np.arange(tasks)
    return [
        sample,
        *(
            (np.repeat(sample[0], counts), np.repeat(sample[1], drawn_tasks))
            for counts, drawn_tasks in zip(run_counts, task_counts, strict=True)
        ),
    ]


def _correlate(
    loss: Floats, distances: Floats, along: Floats, labels: Labels, runs: Indices, tasks: Indices
) -> dict[str, Floats]:
    """Return the (measures, series) correlations of each statistic in a resample."""
    loss, distances = loss[runs][..., tasks], distances[:, runs][..., tasks]
    n_measures = len(distances)
    series = {
        "pooled": correlation(loss.ravel(), distances.reshape(n_measures, -1))[:, None],
        "over checkpoints": along[:, runs][..., tasks].reshape(n_measures, -1),
        "over tasks": correlation(loss, distances).reshape(n_measures, -1),
    }
    if len(set(labels)) > 1:
        series[BETWEEN] = _between(loss, distances, labels[runs])
    return series


def _between(loss: Floats, distances: Floats, labels: Labels) -> Floats:
    """Return the (measures, checkpoints) correlations of differences between labels."""
    sides = []
    for values in (loss, distances):
        means = [values[..., labels == name, :, :].mean(axis=-3) for name in dict.fromkeys(labels)]
        differences = np.concatenate([a - b for a, b in combinations(means, 2)], axis=-1)
        # In both directions, so that the order of the labels does not matter.
        sides.append(np.concatenate([differences, -differences], axis=-1))
    return correlation(*sides)


def _mean(series: Floats) -> Floats:
    """Return the (measures,) means without NaNs; NaN if all are NaN."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(series, axis=1) / np.isfinite(series).sum(axis=1))
