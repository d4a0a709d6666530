"""Tests of claims about single tasks: sudden falls, similarity, samples of instances."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from nearfirst.figures.curves import task_means
from nearfirst.figures.prediction import between_arrangements, correlation
from nearfirst.figures.run import common_tasks
from nearfirst.takeaways.evidence import (
    POSITIVE,
    Data,
    Effect,
    Floats,
    Method,
    NotTestableError,
    near,
    over_tasks,
)

MIN_BLOCKS = 4
"""Blocks of checkpoints below which no permutation can reach a level of 5 %."""


def sudden(data: Data, method: Method) -> Effect:
    """Test whether the largest fall between checkpoints is larger in the first of two orders.

    Of each task's mean loss and seed, after the first checkpoint: the fall from the base model to
    it, which all orders share, does not count.
    """
    largest = {}
    tasks = common_tasks(data.keyed().values())
    for role, seeds in data.runs["loss"].items():
        falls = [
            -np.diff(
                task_means(seeds[seed], method.weighting)[tasks].drop(0, errors="ignore"), axis=0
            )
            for seed in sorted(seeds)
        ]
        if min(map(len, falls)) < 1:
            raise NotTestableError("fewer than two checkpoints after step 0")
        largest[role] = np.array([its.max(axis=0) for its in falls])
    ours, theirs = largest.values()
    if len(ours) != len(theirs) and 1 not in (len(ours), len(theirs)):
        raise NotTestableError("the orders have different seeds")
    return over_tasks(ours - theirs, method, POSITIVE, "nats")


def follows(data: Data, method: Method, measure: str) -> Effect:
    """Test whether a task's loss falls where its distance to the data seen falls, permuting blocks.

    Spearman's correlation, over the checkpoints after step 0, of the change in loss with the change
    in distance, both less their mean over tasks: what falls in all tasks alike, as everything does
    early in a run, says nothing about a task. Averaged over tasks and seeds. For the p-value,
    blocks of neighbouring changes in distance change places, the same in all tasks and seeds.
    """
    ((role, seeds),) = data.runs["loss"].items()
    tasks = common_tasks(seeds.values())
    if len(tasks) < 2:
        raise NotTestableError("one task alone: nothing to compare its falls with")
    pairs = []
    for seed in sorted(seeds):
        distances = data.similarities[role][seed][measure]
        losses = task_means(seeds[seed], method.weighting)
        both = [table.loc[distances.index, tasks].to_numpy() for table in (losses, distances)]
        changes = [np.diff(its, axis=0) for its in both]
        pairs.append([(its - its.mean(axis=1, keepdims=True)).T for its in changes])
    # (seeds, tasks, changes)
    losses, distances = np.array(pairs).swapaxes(0, 1)
    count, size = losses.shape[-1], method.settings.block_checkpoints
    starts = np.arange(0, count, size)
    if len(starts) < MIN_BLOCKS:
        raise NotTestableError(
            f"{count} changes between checkpoints are too few: it takes {MIN_BLOCKS} blocks"
        )
    # Without those whose nearest instance was seen before the first change.
    defined = np.isfinite(correlation(losses, distances)).all(axis=0)
    losses, distances = losses[:, defined], distances[:, defined]
    found = correlation(losses, distances)
    effect = over_tasks(found, method, POSITIVE, "correlation")
    ranks = [_standard_ranks(its).reshape(-1, count) for its in (losses, distances)]
    products = ranks[0].T @ ranks[1] / found.size
    generator = method.generator()
    drawn = np.empty(1 + method.comparison.resamples)
    drawn[0] = np.trace(products)
    for at in range(1, len(drawn)):
        order = [np.arange(i, min(i + size, count)) for i in generator.permutation(starts)]
        drawn[at] = products[np.arange(count), np.concatenate(order)].sum()
    p_value = float((np.abs(drawn) >= abs(drawn[0]) * (1 - 1e-9)).mean())
    return effect._replace(p_value=p_value, test="permuted blocks")


def samples_differ(data: Data, method: Method) -> Effect:
    """Test whether other test instances of a task change the shape of its loss, permuting samples.

    Curves less their mean over the run, so that harder instances do not count, and less their mean
    over samples. Of what is left, the share that all seeds of an arrangement have in common, scaled
    so that it is 0 by chance and 1 if seeds agree fully; averaged over tasks. For the p-value the
    samples of each seed and task change names.
    """
    by_arrangement: dict[str, dict[str, str]] = {}
    for role in data.roles():
        by_arrangement.setdefault(data.arrangement[role], {})[data.sample[role]] = role
    its = data.runs["loss"]
    tasks = common_tasks(data.keyed().values())
    parts = []
    for roles in by_arrangement.values():
        seeds = sorted(set.intersection(*(set(its[role]) for role in roles.values())))
        if len(seeds) < 2:
            continue
        tables = [
            [task_means(its[role][seed], method.weighting)[tasks].to_numpy().T for seed in seeds]
            for role in roles.values()
        ]
        curves = np.array(tables)
        parts.append(curves - curves.mean(axis=-1, keepdims=True))
    if not parts:
        raise NotTestableError("with one seed, samples cannot be told from luck")
    fewest = min(part.shape[1] for part in parts)
    # (samples, seeds, tasks, checkpoints of all arrangements)
    shapes = np.concatenate([part[:, :fewest] for part in parts], axis=-1)
    shapes -= shapes.mean(axis=0)
    # A small task may have the same instances in every sample.
    shapes = shapes[:, :, (shapes**2).sum(axis=(0, 1, 3)) > 0]
    total = (shapes**2).sum(axis=(0, 1, 3))

    def shared(curves: Floats) -> Floats:
        common = fewest * (curves.mean(axis=1) ** 2).sum(axis=(0, 2))
        return np.asarray((common / total - 1 / fewest) / (1 - 1 / fewest))

    effect = over_tasks(shared(shapes)[None], method, POSITIVE, "of the shape")
    generator = method.generator()
    drawn = np.empty(1 + method.comparison.resamples)
    drawn[0] = shared(shapes).mean()
    for at in range(1, len(drawn)):
        order = generator.random(shapes.shape[:3]).argsort(axis=0)[..., None]
        drawn[at] = shared(np.take_along_axis(shapes, order, axis=0)).mean()
    p_value = min(1.0, 2 * min((drawn >= drawn[0]).mean(), (drawn <= drawn[0]).mean()))
    return effect._replace(
        p_value=float(p_value), test="permuted samples", seeds=fewest, note=f"{len(shapes)} samples"
    )


def same_correlation(data: Data, method: Method, pairs: Sequence[tuple[str, str]]) -> Effect:
    """Test whether pairs of measures go equally well with the loss; the worst pair counts.

    Correlations are those between arrangements of `similarity_vs_loss`, and their bootstrap draws
    tasks and seeds.
    """
    draws = _correlations(data, method)
    found = {one: _none(data, method, draws[one] - draws[other]) for one, other in pairs}
    worst = max(found, key=lambda one: (not _inside(found[one]), found[one].p_value))
    note = f"farthest apart: {worst.partition('-')[2]}"
    return found[worst]._replace(quantity="in correlation", note=note)


def no_correlation(data: Data, method: Method, measure: str) -> Effect:
    """Test whether a measure goes with the loss in no way: two one-sided tests of a correlation."""
    return _none(data, method, _correlations(data, method)[measure])


def _none(data: Data, method: Method, draws: "pd.Series[float]") -> Effect:
    """Return a correlation, or a difference of two, with the test of its being none."""
    seeds = max(len(runs) for runs in data.runs["loss"].values())
    tasks = len(common_tasks(data.keyed().values()))
    margin = method.settings.correlation_margin
    return near(
        draws.to_numpy(np.float64).astype(np.float64),
        0,
        margin,
        method,
        "correlation",
        tasks,
        seeds,
    )


def _inside(effect: Effect) -> bool:
    return effect.region[0] <= effect.estimate <= effect.region[1]


def _correlations(data: Data, method: Method) -> pd.DataFrame:
    similarities = {
        (role, seed): its
        for role, seeds in data.similarities.items()
        for seed, its in seeds.items()
    }
    its = method.prediction
    return between_arrangements(
        data.keyed(), similarities, method.weighting, its.resamples, its.seed
    )


def _standard_ranks(values: Floats) -> Floats:
    """Return the ranks along the last axis with mean 0 and sum of squares 1."""
    ranks = stats.rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    return np.asarray(ranks / np.sqrt((ranks**2).sum(axis=-1, keepdims=True)))
