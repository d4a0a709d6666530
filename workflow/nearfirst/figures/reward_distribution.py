"""Rewards of right and of wrong answers (Section A.5, Figure 6)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.overlap import (
    Group,
    aucs,
    bandwidth,
    density,
    grid,
    overlap,
    resampled_counts,
)
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.run import Runs
from nearfirst.figures.settings import DistributionSettings

COLUMNS = ["group", "what", "x", "width", "value", "low", "high", "n", "confidence"]


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the distributions of a figure of kind `rewards` (`Figure.compute`)."""
    scores, rewards = (
        results_of(read_runs(tables, metric), figure) for metric in figure.metric_names()
    )
    joined, left_out = answers(scores, rewards)
    logging.info("%d answers; %d instances have no score or no reward", len(joined), left_out)
    return [distribution(joined, settings.distribution, left_out)]


def answers(scores: Runs, rewards: Runs) -> tuple[pd.DataFrame, int]:
    """Join the scores (Exact Match, from 0 to 1) and the rewards of the same runs.

    Raises InputError if scores and rewards are of different runs.

    Returns
    -------
    answers
        Columns seed, step, id, right (Exact Match of 1: with any reference, or with every one
        under `scores.references: mean`), reward.
    left_out
        Number of test instances with only a score or only a reward: those without a reference have
        no score.
    """
    if scores.keys() != rewards.keys():
        raise InputError(
            f"scores of {[*scores]}, but rewards of {[*rewards]}; give both of each run"
        )
    parts = []
    for (label, seed), score in scores.items():
        reward = rewards[label, seed].values
        columns = {"right": score.values.stack() == 1, "reward": reward.stack()}
        part = pd.concat(columns, axis=1).rename_axis(["step", "id"])
        both = part.dropna()
        if both.empty or set(score.values.index) != set(reward.index):
            raise InputError(
                f"{label}, seed {seed}: scores and rewards are not of the same checkpoints and "
                "test instances; score the run's answers again"
            )
        left_out = part.index.unique("id").size - both.index.unique("id").size
        parts.append(both.assign(seed=seed))
    table = pd.concat(parts).reset_index().astype({"right": bool})
    return table[["seed", "step", "id", "right", "reward"]], left_out


def distribution(
    table: pd.DataFrame, settings: DistributionSettings, left_out: int = 0
) -> pd.DataFrame:
    """Return histograms and densities of both groups of answers, with their overlap and the AUC.

    The overlap coefficient is ∫ min(f, g) of the two Gaussian kernel densities (Scott's rule); the
    AUC is the probability that a right answer has a greater reward than a wrong one, with ties
    counted as half. Its interval holds the percentiles of a bootstrap over test instances: the
    answers to one prompt, of all runs and checkpoints, are similar and drawn together. The overlap
    has no interval: two samples never overlap fully, so its resamples would exclude 1 even without
    a difference. Densities and the overlap need `min_answers` answers of each group to
    `min_instances` test instances, and two different rewards; the interval needs these instances.

    `table` and `left_out` are those of `answers`.

    Returns
    -------
    Columns group (`right`, `wrong`, or `both`), what, x, width, value, low, high, n (answers of the
    group), confidence. Each group has rows `count` and `instances` (different test instances),
    `histogram` (x and width are the left edge and width of a bin, value a density: the area is 1)
    and `density` (at x); `both` has `overlap`, `auc`, `instances`, `seeds`, `checkpoints`,
    `left_out`, `min_answers`, `min_instances`. Undefined values are NaN.
    """
    cluster, ids = pd.factorize(table["id"], sort=True)
    rewards, is_right = table["reward"].to_numpy(float), table["right"].to_numpy(bool)
    right, wrong = (Group(rewards[mask], cluster[mask]) for mask in (is_right, ~is_right))
    generator = np.random.default_rng(settings.seed)
    weights = resampled_counts(generator, len(ids), settings.resamples)
    edges = np.histogram_bin_edges(rewards, settings.bins)
    dense = [group.values for group in (right, wrong) if _is_dense(group, settings)]
    points = grid(dense[0], dense[-1]) if dense else np.empty(0)
    parts = []
    for name, group in (("right", right), ("wrong", wrong)):
        values = group.values
        counts = {"count": len(values), "instances": _count_instances(group)}
        columns = [{"what": list(counts), "value": list(counts.values())}]
        if len(values):
            heights, _ = np.histogram(values, edges, density=True)
            bins = {"x": edges[:-1], "width": np.diff(edges), "value": heights}
            columns.append({"what": "histogram", **bins})
        if _is_dense(group, settings):
            columns.append({"what": "density", "x": points, "value": density(values, points)})
        parts += [pd.DataFrame(each).assign(group=name, n=len(values)) for each in columns]
    auc, *resampled = aucs(right, wrong, weights)
    both = {
        "overlap": overlap(*dense) if len(dense) == 2 else np.nan,
        "auc": auc,
        "instances": len(ids),
        "seeds": table["seed"].nunique(),
        "checkpoints": table["step"].nunique(),
        "left_out": left_out,
        "min_answers": settings.min_answers,
        "min_instances": settings.min_instances,
    }
    part = pd.DataFrame({"what": list(both), "value": list(both.values())})
    finite = [x for x in resampled if np.isfinite(x)]
    if finite and min(map(_count_instances, (right, wrong))) >= settings.min_instances:
        tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]
        part.loc[part["what"] == "auc", ["low", "high"]] = np.quantile(finite, tails)
    parts.append(part.assign(group="both", n=len(table)))
    result = pd.concat(parts, ignore_index=True).assign(confidence=settings.confidence)
    return result.reindex(columns=COLUMNS)


def _count_instances(group: Group) -> int:
    return len(np.unique(group.cluster))


def _is_dense(group: Group, settings: DistributionSettings) -> bool:
    """Return whether a group has enough answers to enough instances for a density."""
    return (
        len(group.values) >= settings.min_answers
        and _count_instances(group) >= settings.min_instances
        and bandwidth(group.values) > 0
    )
