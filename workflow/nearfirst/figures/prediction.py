"""Does similarity distance predict loss? Rank correlations with bootstrap intervals."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import task_means
from nearfirst.figures.run import Key, Runs, Similarity, common_tasks, similarity_of
from nearfirst.figures.spearman import Counts, Ranks, correlations

Floats = npt.NDArray[np.float64]

POOLED = "pooled"
OVER_CHECKPOINTS = "over checkpoints"
OVER_TASKS = "over tasks"
STATISTICS = (POOLED, OVER_CHECKPOINTS, OVER_TASKS)


class _Points(NamedTuple):
    """Losses and distances of T tasks at the C checkpoints of R runs, one run after another."""

    loss: Floats  # (C, T)
    distance: dict[str, Floats]  # (C, T) of each measure
    run: npt.NDArray[np.int64]  # (C,) the run of each checkpoint
    units: list[Key]  # (R,) label and seed of each run: what the bootstrap draws
    checkpoints: int


def prediction(
    tests: Mapping[str, Runs],
    similarities: Mapping[str, Mapping[Key, Similarity]],
    weighting: str,
    confidence: float,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return Spearman's rank correlation of each measure's distance SD_k with loss.

    Over the unseen tasks of all runs and the checkpoints after step 0, three statistics: `pooled`
    takes all (run, task, checkpoint) at once; `over checkpoints` is the mean over (run, task) of
    the correlation along the run; `over tasks` is the mean over (run, checkpoint) of the
    correlation across tasks, that is how well the measure orders the tasks. Series without a
    correlation, because all distances or all losses are equal, are left out of the means and
    counted.

    Intervals are percentiles of a bootstrap that draws tasks and, within each label, seeds; the
    only run of a label is drawn once in each resample. Every resample is ranked again, exactly;
    resamples without any correlation are left out.

    Parameters
    ----------
    tests, similarities
        Of each test set its runs, and their similarity at the same steps.
    weighting
        See `curves.mean_curve`.
    confidence, resamples, seed
        Of the bootstrap.

    Returns
    -------
    Columns measure, statistic, mean (the correlation), low, high, n (tasks), runs, checkpoints
    (different steps), left_out (series), confidence. NaN if no series has a correlation.

    Raises
    ------
    InputError
        If a similarity is missing or of other steps than the losses, or if there are fewer than
        two checkpoints or tasks.
    """
    tasks = common_tasks(run for runs in tests.values() for run in runs.values())
    points = _points(tests, similarities, tasks, weighting)
    draws = _draws(points.units, len(tasks), resamples, seed)
    found = {
        POOLED: _pooled(points, *draws),
        OVER_CHECKPOINTS: _over_checkpoints(points, *draws),
        OVER_TASKS: _over_tasks(points, *draws),
    }
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for measure in points.distance:
        for statistic, by_measure in found.items():
            values, left_out = by_measure[measure]
            some = values[1:][np.isfinite(values[1:])]
            low, high = np.quantile(some, tails) if len(some) else (np.nan, np.nan)
            rows.append((measure, statistic, values[0], low, high, left_out))
    table = pd.DataFrame(rows, columns=["measure", "statistic", "mean", "low", "high", "left_out"])
    table.insert(5, "n", len(tasks))
    table.insert(6, "runs", len(points.units))
    table.insert(7, "checkpoints", points.checkpoints)
    table["confidence"] = confidence
    return table


def _points(
    tests: Mapping[str, Runs],
    similarities: Mapping[str, Mapping[Key, Similarity]],
    tasks: Sequence[str],
    weighting: str,
) -> _Points:
    if len(tasks) < 2:
        raise InputError(f"{len(tasks)} unseen tasks are in all runs; a correlation needs two")
    losses: list[Floats] = []
    distances: dict[str, list[Floats]] = {}
    units: list[Key] = []
    steps: set[int] = set()
    for test, runs in tests.items():
        for key, run in runs.items():
            loss = task_means(run, weighting).drop(index=0, errors="ignore")[tasks]
            if len(loss) < 2:
                raise InputError(
                    f"{key[0]}, seed {key[1]}, {test}: a correlation needs two checkpoints after "
                    f"step 0, the run has {len(loss)}; lower train.checkpoint_every"
                )
            for measure, table in similarity_of(similarities, test, key, run).items():
                distances.setdefault(measure, []).append(table[tasks].to_numpy())
            losses.append(loss.to_numpy())
            units.append(key)
            steps.update(loss.index)
    return _Points(
        np.concatenate(losses),
        {measure: np.concatenate(parts) for measure, parts in distances.items()},
        np.repeat(np.arange(len(losses)), [len(loss) for loss in losses]),
        units,
        len(steps),
    )


def _draws(units: Sequence[Key], tasks: int, resamples: int, seed: int) -> tuple[Counts, Counts]:
    """Return how often each resample draws each run (B, R) and task (B, T).

    The first resample is the sample itself. A seed is drawn with its runs on all test sets.
    """
    generator = np.random.default_rng(seed)
    of_tasks = generator.multinomial(tasks, [1 / tasks] * tasks, resamples)
    drawn: dict[Key, npt.NDArray[np.int64]] = {}
    for label in dict.fromkeys(label for label, _ in units):
        its = list(dict.fromkeys(unit for unit in units if unit[0] == label))
        counts = generator.multinomial(len(its), [1 / len(its)] * len(its), resamples)
        drawn.update(zip(its, counts.T, strict=True))
    of_runs = np.stack([drawn[unit] for unit in units], axis=1)
    return _once_first(of_runs), _once_first(of_tasks)


def _once_first(counts: npt.NDArray[np.int64]) -> Counts:
    return np.concatenate([np.ones_like(counts[:1]), counts]).astype(np.int32)


Found = dict[str, tuple[Floats, int]]
"""Of each measure the (B,) statistic of all resamples, and how many series were left out."""


def _pooled(points: _Points, of_runs: Counts, of_tasks: Counts) -> Found:
    loss = Ranks(points.loss.reshape(1, -1))
    ranks = {name: Ranks(values.reshape(1, -1)) for name, values in points.distance.items()}
    values = np.empty((len(of_runs), len(ranks)))
    for row, (runs, tasks) in enumerate(zip(of_runs, of_tasks, strict=True)):
        weights = np.multiply.outer(runs[points.run], tasks).reshape(1, -1)
        values[row] = correlations(loss, list(ranks.values()), weights)[:, 0]
    return {name: (values[:, column], 0) for column, name in enumerate(ranks)}


def _over_tasks(points: _Points, of_runs: Counts, of_tasks: Counts) -> Found:
    loss = Ranks(points.loss)
    ranks = {name: Ranks(values) for name, values in points.distance.items()}
    values = np.empty((len(of_runs), len(ranks)))
    left_out = np.zeros(len(ranks), dtype=int)
    for row, (runs, tasks) in enumerate(zip(of_runs, of_tasks, strict=True)):
        weights = np.broadcast_to(tasks, points.loss.shape)
        each = correlations(loss, list(ranks.values()), weights)
        values[row] = _mean(each, runs[points.run])
        if row == 0:
            left_out = np.isnan(each).sum(axis=1)
    return {name: (values[:, at], int(left_out[at])) for at, name in enumerate(ranks)}


def _over_checkpoints(points: _Points, of_runs: Counts, of_tasks: Counts) -> Found:
    found = {}
    for name, distance in points.distance.items():
        each = np.empty((len(points.units), distance.shape[1]))  # (R, T)
        for run in range(len(points.units)):
            rows = points.run == run
            loss = points.loss[rows].T
            once = np.ones(loss.shape, dtype=np.int32)
            each[run] = correlations(Ranks(loss), [Ranks(distance[rows].T)], once)[0]
        there = np.isfinite(each)
        with np.errstate(invalid="ignore"):
            sums = ((of_runs @ np.where(there, each, 0)) * of_tasks).sum(axis=1)
            values = sums / ((of_runs @ there) * of_tasks).sum(axis=1)
        found[name] = values, int((~there).sum())
    return found


def _mean(each: Floats, weights: Counts) -> Floats:
    """Return the weighted mean over the last axis, without NaN; NaN if nothing else is there."""
    there = np.isfinite(each)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.where(there, each, 0) @ weights) / (there @ weights))
