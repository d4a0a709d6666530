"""Tests of claims about single tasks: sudden falls, similarity, samples of instances."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.paired import check_pairs
from nearfirst.figures.curves import Floats, task_means
from nearfirst.figures.prediction import between_arrangements, correlation
from nearfirst.figures.run import Run, by_label, common_tasks
from nearfirst.takeaways.evidence import (
    POSITIVE,
    Data,
    Effect,
    Method,
    equivalence_test,
    mean_over_tasks,
)

MIN_BLOCKS = 4
"""With fewer blocks of checkpoints, no permutation test can reach a level of 5 %."""


def sudden(data: Data, method: Method) -> Effect:
    """Test whether a task's largest fall between checkpoints is larger in the first of two orders.

    The fall from the base model to the first checkpoint, which all orders share, does not count.
    """
    largest = []
    by_role = by_label(data.runs["loss"])
    check_pairs(by_role)
    tasks = common_tasks(data.runs["loss"].values())
    for by_seed in by_role.values():
        falls = [
            -np.diff(task_means(run, method.weighting)[tasks].drop(0, errors="ignore"), axis=0)
            for _, run in sorted(by_seed.items())
        ]
        if min(map(len, falls)) < 1:
            raise InputError("fewer than two checkpoints after step 0")
        largest.append(np.array([fall.max(axis=0) for fall in falls]))
    ours, theirs = largest
    return mean_over_tasks(ours - theirs, method, POSITIVE, "nats")


def follows(data: Data, method: Method, measure: str) -> Effect:
    """Test whether a task's loss falls where its distance to the data seen falls, permuting blocks.

    Spearman's correlation, over the checkpoints after step 0, of the change in loss with the change
    in distance, averaged over tasks and seeds. Both changes are centred over tasks, since a fall
    common to all tasks, as early in a run, says nothing about a single one. For the p-value, blocks
    of neighbouring changes in distance are permuted alike in all tasks and seeds.
    """
    runs = data.runs["loss"]
    tasks = common_tasks(runs.values())
    if len(tasks) < 2:
        raise InputError("one task alone: nothing to compare its falls with")
    pairs = []
    for key, run in sorted(runs.items()):
        distances = data.similarities[key][measure]
        tables = (task_means(run, method.weighting), distances)
        changes = [np.diff(table.loc[distances.index, tasks], axis=0) for table in tables]
        pairs.append([(change - change.mean(axis=1, keepdims=True)).T for change in changes])
    # (seeds, tasks, changes)
    losses, distances = np.array(pairs).swapaxes(0, 1)
    count, size = losses.shape[-1], method.settings.block_checkpoints
    starts = np.arange(0, count, size)
    if len(starts) < MIN_BLOCKS:
        raise InputError(
            f"{count} changes between checkpoints are too few: it takes {MIN_BLOCKS} blocks"
        )
    # The distance of a task is constant if its nearest instance was seen before the first change.
    defined = np.isfinite(correlation(losses, distances)).all(axis=0)
    losses, distances = losses[:, defined], distances[:, defined]
    correlations = correlation(losses, distances)
    effect = mean_over_tasks(correlations, method, POSITIVE, "correlation")
    ranks = [_standardized_ranks(values).reshape(-1, count) for values in (losses, distances)]
    products = ranks[0].T @ ranks[1] / correlations.size
    generator = method.generator()
    draws = np.empty(1 + method.comparison.resamples)
    draws[0] = np.trace(products)
    for i in range(1, len(draws)):
        order = [np.arange(j, min(j + size, count)) for j in generator.permutation(starts)]
        draws[i] = products[np.arange(count), np.concatenate(order)].sum()
    p_value = (np.abs(draws) >= abs(draws[0]) * (1 - 1e-9)).mean()
    return effect._replace(p_value=p_value, test="permuted blocks")


def samples_differ(data: Data, method: Method) -> Effect:
    """Test whether other test instances of a task change the shape of its loss, permuting samples.

    Curves are centred over the run, so that harder instances do not count, and over samples. The
    effect is the share of the remaining variance that all seeds of an arrangement have in common,
    scaled to be 0 by chance and 1 if seeds agree fully, averaged over tasks. For the p-value the
    samples are relabelled within each seed and task.
    """
    runs = by_label(data.runs["loss"])
    by_arrangement: dict[str, list[dict[int, Run]]] = {}
    for role in data.roles:
        by_arrangement.setdefault(role.arrangement, []).append(runs[role.label])
    tasks = common_tasks(data.runs["loss"].values())
    parts = []
    for samples in by_arrangement.values():
        seeds = sorted(set.intersection(*map(set, samples)))
        if len(seeds) < 2:
            continue
        tables = [
            [task_means(sample[seed], method.weighting)[tasks].to_numpy().T for seed in seeds]
            for sample in samples
        ]
        curves = np.array(tables)
        parts.append(curves - curves.mean(axis=-1, keepdims=True))
    if not parts:
        raise InputError("with one seed, samples cannot be told from luck")
    n_seeds = min(part.shape[1] for part in parts)
    # (samples, seeds, tasks, checkpoints of all arrangements)
    shapes = np.concatenate([part[:, :n_seeds] for part in parts], axis=-1)
    shapes -= shapes.mean(axis=0)
    # A small task may have the same instances in every sample.
    shapes = shapes[:, :, (shapes**2).sum(axis=(0, 1, 3)) > 0]
    total = (shapes**2).sum(axis=(0, 1, 3))

    def shared(curves: Floats) -> Floats:
        common = n_seeds * (curves.mean(axis=1) ** 2).sum(axis=(0, 2))
        return np.asarray((common / total - 1 / n_seeds) / (1 - 1 / n_seeds))

    effect = mean_over_tasks(shared(shapes)[None], method, POSITIVE, "of the shape")
    generator = method.generator()
    draws = np.empty(1 + method.comparison.resamples)
    draws[0] = shared(shapes).mean()
    for i in range(1, len(draws)):
        order = generator.random(shapes.shape[:3]).argsort(axis=0)[..., None]
        draws[i] = shared(np.take_along_axis(shapes, order, axis=0)).mean()
    p_value = min(1.0, 2 * min((draws >= draws[0]).mean(), (draws <= draws[0]).mean()))
    return effect._replace(
        p_value=p_value, test="permuted samples", seeds=n_seeds, note=f"{len(shapes)} samples"
    )


def same_correlation(data: Data, method: Method, pairs: Sequence[tuple[str, str]]) -> Effect:
    """Test whether pairs of measures correlate equally well with the loss; the worst pair counts.

    Each of n pairs must be equivalent, so that with the weakest evidence counts (an
    intersection-union test). Any can refute the claim, so a p-value against it is multiplied by n,
    and that with the strongest evidence counts. The correlations are those between arrangements of
    `similarity_vs_loss`; their bootstrap draws tasks and seeds.
    """
    draws = _bootstrap_correlations(data, method)
    effects = {one: _test_zero(data, method, draws[one] - draws[other]) for one, other in pairs}
    beyond = {
        name: e for name, e in effects.items() if not e.region[0] <= e.estimate <= e.region[1]
    }
    if beyond:
        worst = min(beyond, key=lambda name: beyond[name].p_value)
        p_value = min(1.0, len(pairs) * effects[worst].p_value)
    else:
        worst = max(effects, key=lambda name: effects[name].p_value)
        p_value = effects[worst].p_value
    note = f"farthest apart: {worst.partition('-')[2]}"
    return effects[worst]._replace(p_value=p_value, quantity="in correlation", note=note)


def no_correlation(data: Data, method: Method, measure: str) -> Effect:
    """Test whether a measure does not correlate with the loss, by two one-sided tests."""
    return _test_zero(data, method, _bootstrap_correlations(data, method)[measure])


def _test_zero(data: Data, method: Method, draws: "pd.Series[float]") -> Effect:
    """Test whether a correlation, or the difference between two, is near zero."""
    n_tasks = len(common_tasks(data.runs["loss"].values()))
    margin = method.settings.correlation_margin
    values = np.asarray(draws, dtype=np.float64)
    return equivalence_test(values, 0, margin, method, "correlation", n_tasks, data.max_seeds())


def _bootstrap_correlations(data: Data, method: Method) -> pd.DataFrame:
    settings = method.prediction
    runs = data.runs["loss"]
    return between_arrangements(
        runs, data.similarities, method.weighting, settings.resamples, settings.seed
    )


def _standardized_ranks(values: Floats) -> Floats:
    """Return the ranks along the last axis with mean 0 and sum of squares 1."""
    ranks = stats.rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    return np.asarray(ranks / np.sqrt((ranks**2).sum(axis=-1, keepdims=True)))
