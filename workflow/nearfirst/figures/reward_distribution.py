"""Rewards of right and of wrong answers (Section A.5, Figure 6)."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.overlap import (
    Floats,
    Group,
    aucs,
    bandwidth,
    density,
    grid,
    overlap,
    overlaps,
)
from nearfirst.figures.run import Runs, check_seeds
from nearfirst.figures.settings import DistributionSettings

RIGHT, WRONG, BOTH = "right", "wrong", "both"
COLUMNS = ["group", "what", "x", "width", "value", "low", "high"]

Row = dict[str, Any]


def answers(scores: Runs, rewards: Runs, checkpoints: str) -> tuple[pd.DataFrame, int]:
    """Join the scores and the rewards of answers.

    Parameters
    ----------
    scores, rewards
        Exact Match, from 0 to 1, and reward of the same runs, by (label, seed).
    checkpoints
        `all` of them, or the `last` one of each run.

    Returns
    -------
    answers
        Columns seed, step, id, right (Exact Match 1, against all references if scores are means
        over them), reward.
    left_out
        How many test instances are in one of the two alone: one without a reference has no score.

    Raises
    ------
    InputError
        If there are several labels, the two differ in runs or steps, the runs cannot be compared,
        or no instance is in both.
    """
    for flag, runs in (("--scores", scores), ("--rewards", rewards)):
        check_seeds(runs)
        labels = list(dict.fromkeys(label for label, _ in runs))
        if len(labels) > 1:
            raise InputError(f"{flag}: labels {', '.join(labels)}; give the runs of one data set")
    for label, seed in sorted(scores.keys() ^ rewards.keys()):
        there, missing = ("--scores", "--rewards")[:: 1 if (label, seed) in scores else -1]
        raise InputError(
            f"{there} {label} {seed} is given, but not {missing} {label} {seed}; give both"
        )
    parts = []
    left_out = 0
    for (label, seed), score in scores.items():
        right, reward = score.values, rewards[label, seed].values
        steps = right.index.symmetric_difference(reward.index)
        if len(steps):
            raise InputError(
                f"--scores and --rewards {label} {seed}: only one has step {steps[0]}; score "
                "the run's answers again"
            )
        ids = right.columns.intersection(reward.columns)
        if ids.empty:
            raise InputError(
                f"--scores and --rewards {label} {seed}: no instance is in both; they are of "
                "other test sets"
            )
        left_out = len(right.columns.union(reward.columns)) - len(ids)
        chosen = right.index[-1:] if checkpoints == "last" else right.index
        part = pd.DataFrame(
            {
                "right": right.loc[chosen, ids].stack() == 1,
                "reward": reward.loc[chosen, ids].stack(),
            }
        )
        parts.append(part.rename_axis(["step", "id"]).reset_index().assign(seed=seed))
    table = pd.concat(parts, ignore_index=True)
    return table[["seed", "step", "id", "right", "reward"]], left_out


def distribution(
    table: pd.DataFrame, settings: DistributionSettings, left_out: int = 0
) -> pd.DataFrame:
    """Return histograms and densities of both groups of answers, and how far they lie apart.

    The overlap coefficient is ∫ min(f, g) of the two Gaussian kernel densities (Scott's rule); the
    AUC is the probability that a right answer has a greater reward than a wrong one, a tie counting
    half. Intervals are percentiles of a bootstrap that draws test instances: the answers to one
    prompt, of all runs and checkpoints, are alike and come together. Densities and the overlap need
    `least` answers of each group from `least_instances` test instances and two different rewards;
    intervals need these instances too.

    Parameters
    ----------
    table
        Answers: columns seed, step, id, right, reward.
    settings
        What is drawn, and the bootstrap.
    left_out
        Test instances that are not among them.

    Returns
    -------
    Columns group (`right`, `wrong`, or `both` for what is not of one of them), what, x, width,
    value, low, high, n (answers of the group), confidence. Of each group `count` and `instances`
    (different test instances), `mean`, `histogram` (x the left edge and width that of a bin, value
    a density: the area is 1) and `density` (at x); of both `overlap`, `auc`, `instances`, `seeds`,
    `checkpoints`, `left_out`, `least`, `least_instances`. What cannot be said is NaN.
    """
    cluster, ids = pd.factorize(table["id"], sort=True)
    rewards, is_right = table["reward"].to_numpy(float), table["right"].to_numpy(bool)
    right, wrong = (Group(rewards[its], cluster[its]) for its in (is_right, ~is_right))
    generator = np.random.default_rng(settings.seed)
    drawn = generator.multinomial(len(ids), [1 / len(ids)] * len(ids), settings.resamples)
    # Each once in the first row: that is what was seen.
    weights = np.concatenate([np.ones((1, len(ids))), drawn])
    edges = np.histogram_bin_edges(rewards, settings.bins)
    points = _points(right, wrong, settings)
    rows = [
        *_of_group(RIGHT, right, edges, points, weights, settings),
        *_of_group(WRONG, wrong, edges, points, weights, settings),
        *_apart(right, wrong, points, weights, settings),
        _row(BOTH, "instances", len(ids)),
        _row(BOTH, "seeds", table["seed"].nunique()),
        _row(BOTH, "checkpoints", table["step"].nunique()),
        _row(BOTH, "left_out", left_out),
        _row(BOTH, "least", settings.least),
        _row(BOTH, "least_instances", settings.least_instances),
    ]
    result = pd.DataFrame(rows, columns=COLUMNS)
    sizes = {RIGHT: len(right.values), WRONG: len(wrong.values), BOTH: len(table)}
    return result.assign(n=result["group"].map(sizes), confidence=settings.confidence)


def _row(group: str, what: str, value: float, **others: float) -> Row:
    return {"group": group, "what": what, "value": value, **others}


def _of_group(
    name: str,
    group: Group,
    edges: Floats,
    points: Floats | None,
    weights: Floats,
    settings: DistributionSettings,
) -> list[Row]:
    """Return the rows of one group."""
    values, size = group.values, len(group.values)
    rows = [_row(name, "count", size), _row(name, "instances", _instances(group))]
    if not size:
        return [*rows, _row(name, "mean", np.nan)]
    clusters = weights.shape[1]
    sums = weights @ np.bincount(group.cluster, values, clusters)
    with np.errstate(invalid="ignore"):
        means = sums / (weights @ np.bincount(group.cluster, minlength=clusters))
    interval = _interval(means[1:], f"mean reward of {name} answers", settings, group)
    rows.append(_row(name, "mean", means[0], **interval))
    heights, _ = np.histogram(values, edges, density=True)
    rows += [
        _row(name, "histogram", height, x=left, width=width)
        for left, width, height in zip(edges[:-1], np.diff(edges), heights, strict=True)
    ]
    if points is not None and _dense(group, settings):
        curve = zip(points, density(values, points), strict=True)
        rows += [_row(name, "density", y, x=x) for x, y in curve]
    return rows


def _apart(
    right: Group,
    wrong: Group,
    points: Floats | None,
    weights: Floats,
    settings: DistributionSettings,
) -> list[Row]:
    """Return the rows that say how far the groups lie apart."""
    found = aucs(right, wrong, weights)
    interval = _interval(found[1:], "AUC", settings, right, wrong)
    rows = [_row(BOTH, "auc", found[0], **interval)]
    if points is None or not (_dense(right, settings) and _dense(wrong, settings)):
        return [_row(BOTH, "overlap", np.nan), *rows]
    shared = overlap(density(right.values, points), density(wrong.values, points), points)
    found = overlaps(right, wrong, points, weights[1:])
    interval = _interval(found, "overlap", settings, right, wrong)
    return [_row(BOTH, "overlap", shared, **interval), *rows]


def _interval(
    values: Floats, what: str, settings: DistributionSettings, *groups: Group
) -> dict[str, float]:
    """Return the percentile interval of resampled values; those that are NaN are left out."""
    if any(_instances(group) < settings.least_instances for group in groups):
        return {}
    there = values[np.isfinite(values)]
    if len(there) < len(values):
        logging.info("%s: %d resamples had none", what, len(values) - len(there))
    if not len(there):  # numbers that differ by less than the sums of a resample can tell
        return {}
    tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]
    low, high = np.quantile(there, tails)
    return {"low": low, "high": high}


def _instances(group: Group) -> int:
    return len(np.unique(group.cluster))


def _dense(group: Group, settings: DistributionSettings) -> bool:
    """Tell whether a group has enough answers of enough instances for a density."""
    return (
        len(group.values) >= settings.least
        and _instances(group) >= settings.least_instances
        and bandwidth(group.values) > 0
    )


def _points(right: Group, wrong: Group, settings: DistributionSettings) -> Floats | None:
    """Return the grid of the densities that can be drawn, or None."""
    dense = [group.values for group in (right, wrong) if _dense(group, settings)]
    return grid(dense[0], dense[-1]) if dense else None
