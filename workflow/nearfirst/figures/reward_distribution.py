"""Rewards of right and of wrong answers (Section A.5, Figure 6)."""

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
)
from nearfirst.figures.run import Runs
from nearfirst.figures.settings import DistributionSettings

RIGHT, WRONG, BOTH = "right", "wrong", "both"
COLUMNS = ["group", "what", "x", "width", "value", "low", "high"]

Row = dict[str, Any]


def answers(scores: Runs, rewards: Runs, checkpoints: str) -> tuple[pd.DataFrame, int]:
    """Join the scores and the rewards of answers.

    Parameters
    ----------
    scores, rewards
        Exact Match, from 0 to 1, and reward of the same runs.
    checkpoints
        `all` of them, or the `last` one of each run.

    Returns
    -------
    answers
        Columns seed, step, id, right (Exact Match 1, with all references where scores are means
        over them), reward.
    left_out
        How many test instances have only a score or only a reward: one without a reference has no
        score.

    Raises
    ------
    InputError
        If scores and rewards are of different runs.
    """
    for label, seed in sorted(scores.keys() ^ rewards.keys()):
        missing = "rewards" if (label, seed) in scores else "scores"
        raise InputError(f"{label}, seed {seed}: no {missing}; give scores and rewards of each run")
    parts = []
    for (label, seed), score in scores.items():
        columns = {
            "right": score.values.stack() == 1,
            "reward": rewards[label, seed].values.stack(),
        }
        part = pd.concat(columns, axis=1).rename_axis(["step", "id"])
        both = part.dropna()
        if both.empty or set(score.values.index) != set(rewards[label, seed].values.index):
            raise InputError(
                f"{label}, seed {seed}: scores and rewards are not of the same checkpoints and "
                "test instances; score the run's answers again"
            )
        left_out = part.index.unique("id").size - both.index.unique("id").size
        last = score.values.index[-1]
        parts.append((both.loc[[last]] if checkpoints == "last" else both).assign(seed=seed))
    table = pd.concat(parts).reset_index().astype({"right": bool})
    return table[["seed", "step", "id", "right", "reward"]], left_out


def distribution(
    table: pd.DataFrame, settings: DistributionSettings, left_out: int = 0
) -> pd.DataFrame:
    """Return histograms and densities of both groups of answers, and how far apart they lie.

    The overlap coefficient is ∫ min(f, g) of the two Gaussian kernel densities (Scott's rule); the
    AUC is the probability that a right answer has a greater reward than a wrong one, a tie counting
    half. Its interval has the percentiles of a bootstrap over test instances: the answers to one
    prompt, of all runs and checkpoints, are alike and are drawn together. The overlap has none: two
    samples never overlap fully, so that its resamples exclude 1 where there is no difference.
    Densities and the overlap need `min_answers` answers of each group to `min_instances` test
    instances, and two different rewards; the interval needs these instances too.

    Parameters
    ----------
    table, left_out
        As `answers` returns them.

    Returns
    -------
    Columns group (`right`, `wrong`, or `both`), what, x, width, value, low, high, n (answers of the
    group), confidence. Of each group `count` and `instances` (different test instances),
    `histogram` (x the left edge and width that of a bin, value a density: the area is 1) and
    `density` (at x); of both `overlap`, `auc`, `instances`, `seeds`, `checkpoints`, `left_out`,
    `min_answers`, `min_instances`. What is not defined is NaN.
    """
    cluster, ids = pd.factorize(table["id"], sort=True)
    rewards, is_right = table["reward"].to_numpy(float), table["right"].to_numpy(bool)
    right, wrong = (Group(rewards[its], cluster[its]) for its in (is_right, ~is_right))
    generator = np.random.default_rng(settings.seed)
    drawn = generator.multinomial(len(ids), [1 / len(ids)] * len(ids), settings.resamples)
    # The first row holds each instance once: the sample itself.
    weights = np.concatenate([np.ones((1, len(ids))), drawn])
    edges = np.histogram_bin_edges(rewards, settings.bins)
    dense = [group.values for group in (right, wrong) if _dense(group, settings)]
    points = grid(dense[0], dense[-1]) if dense else np.empty(0)
    counts = {
        "instances": len(ids),
        "seeds": table["seed"].nunique(),
        "checkpoints": table["step"].nunique(),
        "left_out": left_out,
        "min_answers": settings.min_answers,
        "min_instances": settings.min_instances,
    }
    rows = [
        *_of_group(RIGHT, right, edges, points, settings),
        *_of_group(WRONG, wrong, edges, points, settings),
        *_of_both(right, wrong, points, weights, settings),
        *(_row(BOTH, what, value) for what, value in counts.items()),
    ]
    result = pd.DataFrame(rows, columns=COLUMNS)
    sizes = {RIGHT: len(right.values), WRONG: len(wrong.values), BOTH: len(table)}
    return result.assign(n=result["group"].map(sizes), confidence=settings.confidence)


def _row(group: str, what: str, value: float, **others: float) -> Row:
    return {"group": group, "what": what, "value": value, **others}


def _of_group(
    name: str, group: Group, edges: Floats, points: Floats, settings: DistributionSettings
) -> list[Row]:
    """Return the rows of one group."""
    values = group.values
    rows = [_row(name, "count", len(values)), _row(name, "instances", _instances(group))]
    if len(values):
        heights, _ = np.histogram(values, edges, density=True)
        rows += [
            _row(name, "histogram", height, x=left, width=width)
            for left, width, height in zip(edges[:-1], np.diff(edges), heights, strict=True)
        ]
    if _dense(group, settings):
        curve = zip(points, density(values, points), strict=True)
        rows += [_row(name, "density", y, x=x) for x, y in curve]
    return rows


def _of_both(
    right: Group, wrong: Group, points: Floats, weights: Floats, settings: DistributionSettings
) -> list[Row]:
    """Return the rows of the overlap and the AUC."""
    found = aucs(right, wrong, weights)
    auc = _row(BOTH, "auc", found[0])
    resampled = found[1:][np.isfinite(found[1:])]
    if len(resampled) and min(map(_instances, (right, wrong))) >= settings.min_instances:
        tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]
        auc["low"], auc["high"] = np.quantile(resampled, tails)
    if not (_dense(right, settings) and _dense(wrong, settings)):
        return [_row(BOTH, "overlap", np.nan), auc]
    shared = overlap(density(right.values, points), density(wrong.values, points), points)
    return [_row(BOTH, "overlap", shared), auc]


def _instances(group: Group) -> int:
    return len(np.unique(group.cluster))


def _dense(group: Group, settings: DistributionSettings) -> bool:
    """Return whether a group has enough answers to enough instances for a density."""
    return (
        len(group.values) >= settings.min_answers
        and _instances(group) >= settings.min_instances
        and bandwidth(group.values) > 0
    )
