"""The registered tests: from runs to an effect, its interval and a p-value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.figures.comparison import END, RUN
from nearfirst.figures.comparison.inference import (
    Sample,
    estimates,
    max_t,
    variance_over_seeds,
)
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.curves import mean_curve, task_means
from nearfirst.figures.overlap import Group, aucs, density, grid, overlap
from nearfirst.figures.prediction import between_arrangements, correlation
from nearfirst.figures.reward_distribution import answers
from nearfirst.figures.run import Key, Run, Similarity, common_tasks
from nearfirst.figures.settings import (
    ComparisonSettings,
    DistributionSettings,
    PredictionSettings,
)
from nearfirst.metrics import METRICS
from nearfirst.tables.metric_stability import stability
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.settings import TakeawaySettings

Floats = npt.NDArray[np.float64]
Region = tuple[float, float]
"""Where an effect must lie for its claim to be confirmed, bounds included."""

NEGATIVE, POSITIVE, MOST = (-inf, 0.0), (0.0, inf), (0.5, 1.0)
MIN_BLOCKS = 4
"""Blocks of checkpoints below which no permutation can reach a level of 5 %."""


class NotTestable(Exception):
    """The data cannot answer the question, for the reason given."""


class Effect(NamedTuple):
    """An effect with its interval, and the p-value of its being on the side where it was found.

    The p-value is two-sided: the claim is confirmed by a small one if the effect is inside of the
    region, and refuted if it is outside.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    region: Region
    quantity: str
    """What the effect is, with its unit."""
    test: str
    units: str
    """What was sampled, in the plural."""
    n: int
    seeds: int
    note: str = ""


@dataclass(frozen=True)
class Method:
    """All that the tests need beside data."""

    settings: TakeawaySettings = TakeawaySettings()
    comparison: ComparisonSettings = ComparisonSettings()
    stability: StabilitySettings = StabilitySettings()
    prediction: PredictionSettings = PredictionSettings()
    distribution: DistributionSettings = DistributionSettings()
    weighting: str = "instance"

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return 1 - self.settings.alpha

    @property
    def tails(self) -> list[float]:
        """Quantiles that are the bounds of an interval."""
        return [self.settings.alpha / 2, 1 - self.settings.alpha / 2]

    def generator(self) -> np.random.Generator:
        """Return the generator of a test: each begins with the same seed."""
        return np.random.default_rng(self.comparison.seed)


@dataclass(frozen=True)
class Data:
    """The runs of a subject.

    Attributes
    ----------
    runs
        By metric, role and seed, roles in their order.
    similarities
        By role and seed.
    dataset, sample, arrangement
        Of each role: its data set, test set and arrangement.
    paper_steps
        Steps of the paper's run.
    """

    runs: Mapping[str, Mapping[str, Mapping[int, Run]]]
    similarities: Mapping[str, Mapping[int, Similarity]]
    dataset: Mapping[str, str]
    sample: Mapping[str, str]
    arrangement: Mapping[str, str]
    paper_steps: int | None = None

    def roles(self, metric: str = "loss") -> list[str]:
        """Return the roles in their order."""
        return list(self.runs[metric])

    def keyed(self, metric: str = "loss") -> dict[Key, Run]:
        """Return the runs by role and seed."""
        its = self.runs[metric]
        return {(role, seed): run for role in its for seed, run in its[role].items()}


# --- Orders compared -----------------------------------------------------------------------------


def difference(data: Data, method: Method, window: str) -> Effect:
    """Is the loss of the first order lower than that of the second? As in `NAME_paired.csv`.

    Parameters
    ----------
    window
        `run`, `end`, `first half` or `second half`: of the checkpoints after step 0 of both.
    """
    return _paired(data, data.roles(), method, window)


def between(data: Data, method: Method, window: str) -> Effect:
    """Are the first order below the second and the second below the third?

    Both must be so: the effect with the weaker evidence counts (an intersection-union test). It is
    refuted if either is, so the p-value then counts for two.
    """
    first, second, third = data.roles()
    both = [_paired(data, pair, method, window) for pair in ((first, second), (second, third))]
    weaker = max(both, key=lambda it: it.p_value if it.estimate < 0 else 2 - it.p_value)
    name = f"{first} − {second}" if weaker is both[0] else f"{second} − {third}"
    p_value = weaker.p_value if weaker.estimate < 0 else min(1.0, 2 * weaker.p_value)
    return weaker._replace(
        p_value=p_value, quantity=f"{name}, nats", test=f"{weaker.test}, the weaker of two"
    )


def equivalence(data: Data, method: Method, window: str) -> Effect:
    """Is the difference of two orders smaller than the margin? Two one-sided tests.

    Each is that of `difference` with the second order's losses moved by the margin, which is a
    share (`loss_margin`) of the fall of the second order's mean loss in its run.
    """
    ours, theirs = data.roles()
    curves = [mean_curve(run, method.weighting) for run in data.runs["loss"][theirs].values()]
    if any(curve.index[0] != 0 for curve in curves):
        raise NotTestable("the runs do not begin at step 0")
    fall = float(np.mean([curve.iloc[0] - curve.iloc[-1] for curve in curves]))
    if fall <= 0:
        raise NotTestable("the loss does not fall")
    margin = method.settings.loss_margin * fall
    plain = _paired(data, (ours, theirs), method, window)
    moved = [_paired(data, (ours, theirs), method, window, by) for by in (margin, -margin)]
    # Of the two one-sided tests, against a difference above the margin and one below minus it.
    sides = [
        it.p_value / 2 if sign * it.estimate > 0 else 1 - it.p_value / 2
        for it, sign in zip(moved, (-1, 1), strict=True)
    ]
    p_value = max(sides)
    if abs(plain.estimate) > margin:
        p_value = moved[0].p_value if plain.estimate > 0 else moved[1].p_value
    return plain._replace(
        p_value=p_value, region=(-margin, margin), test="two one-sided tests by sign flips"
    )


def _paired(
    data: Data, roles: Sequence[str], method: Method, window: str, by: float = 0.0
) -> Effect:
    """Compare the first role with the second, whose losses are raised by some nats."""
    ours, theirs = roles
    runs = {key: run for key, run in data.keyed().items() if key[0] in roles}
    common = set.intersection(*(set(run.values.index) for run in runs.values())) - {0}
    steps = sorted(common)
    halves = {
        "first half": [step for step in steps if 2 * step <= steps[-1]],
        "second half": [step for step in steps if 2 * step > steps[-1]],
    }
    if not (its := halves.get(window, steps)):
        raise NotTestable(f"no common checkpoint in the {window}")
    kept = {
        key: replace(run, values=run.values.loc[its] + by * (key[0] == theirs))
        for key, run in runs.items()
    }
    settings = method.comparison.model_copy(update={"confidence": method.confidence})
    table = paired_comparison(
        dict(sorted(kept.items(), key=lambda item: roles.index(item[0][0]))),
        ours,
        settings,
        weighting=method.weighting,
    )
    row = table[table["question"] == (END if window == "end" else RUN)].iloc[0]
    return Effect(
        estimate=float(row["difference"]),
        low=float(row["low"]),
        high=float(row["high"]),
        p_value=float(row["p_value"]),
        region=NEGATIVE,
        quantity="difference, nats",
        test="sign flips",
        units=f"{row['units']}s",
        n=int(row["tasks"] if row["units"] == "task" else row["instances"]),
        seeds=int(row["seeds"]),
    )


def trend(data: Data, method: Method) -> Effect:
    """Does a task's mean loss rise from each bucket of rounds to the next? Page's trend test.

    Tasks are the blocks; means are over seeds and the checkpoints that all buckets have. The effect
    is Spearman's correlation of bucket and loss, averaged over tasks and seeds.
    """
    its = data.runs["loss"]
    if len(its) < 3:
        raise NotTestable("a trend needs three buckets of rounds or more")
    steps = sorted(
        set.intersection(*(set(run.values.index) for runs in its.values() for run in runs.values()))
        - {0}
    )
    if not steps:
        raise NotTestable("the buckets have no common checkpoint after step 0")
    tasks = common_tasks(run for runs in its.values() for run in runs.values())
    seeds = sorted(set.intersection(*(set(runs) for runs in its.values())))
    # (seeds, tasks, buckets)
    losses = np.array(
        [
            [task_means(its[role][seed], method.weighting).loc[steps, tasks].mean() for role in its]
            for seed in seeds
        ]
    ).swapaxes(1, 2)
    places = np.arange(1.0, losses.shape[-1] + 1)
    found = correlation(losses, np.broadcast_to(places, losses.shape))
    effect = _over_tasks(found, method, POSITIVE, "rank correlation")
    ranks = [int(place) for place in places]
    page = [
        float(stats.page_trend_test(losses.mean(axis=0), predicted_ranks=order).pvalue)
        for order in (ranks, ranks[::-1])
    ]
    return effect._replace(p_value=min(1.0, 2 * min(page)), test="Page's trend test")


# --- Early, steady, fair -------------------------------------------------------------------------


def early(data: Data, method: Method, metric: str, paper_step: int) -> Effect:
    """Has the metric made 90 % of its change by the paper's step, scaled by the length of the run?

    The step is known to a checkpoint only, so the bound is the first checkpoint at or after the
    paper's step times the run's steps over those of the paper's run. The interval and the p-value
    are of a bootstrap over units of the test set and seeds. A resample in which the metric gets no
    better never makes its change.
    """
    (runs,) = data.runs[metric].values()
    its = list(runs.values())
    steps = _steps_from_zero(its)
    sign = 1.0 if METRICS[metric].stage != "losses" else -1.0
    curves, units, n = _resampled_curves(its, method)
    found = step_of_share(steps, sign * curves, method.stability)
    bound = _bound(steps, paper_step, data)
    low, high = np.quantile(found[1:], method.tails, method="inverted_cdf")
    return Effect(
        estimate=float(found[0]),
        low=float(low),
        high=float(high),
        p_value=_bootstrap_p(found <= bound),
        region=(-inf, bound),
        quantity="step",
        test="bootstrap",
        units=units,
        n=n,
        seeds=len(its),
    )


def early_tasks(data: Data, method: Method, paper_step: int) -> Effect:
    """Have most tasks made 90 % of their fall by then? Each a mean over seeds; a sign test."""
    (runs,) = data.runs["loss"].values()
    its = list(runs.values())
    steps = _steps_from_zero(its)
    means = np.mean([task_means(run, method.weighting) for run in its], axis=0)
    found = step_of_share(steps, -means.T, method.stability)
    bound = _bound(steps, paper_step, data)
    effect = _share(int((found <= bound).sum()), len(found), method, "tasks", len(its))
    return effect._replace(note=f"by step {bound:g}")


def step_of_share(steps: npt.NDArray[Any], curves: Floats, settings: StabilitySettings) -> Floats:
    """Return the first step at which rising (…, K) curves have made a share of their change.

    The change is to the mean of the last checkpoints, as in `metric_stability.csv`; a curve that
    does not rise never makes it, which is an infinite step.
    """
    start = curves[..., :1]
    change = curves[..., 1:][..., -settings.end_checkpoints :].mean(axis=-1, keepdims=True) - start
    there = (curves - start >= settings.share * change) & (change > 0)
    return np.where(there.any(axis=-1), steps[there.argmax(axis=-1)], np.inf)


def steadier(data: Data, method: Method, metric: str) -> Effect:
    """Has the loss less relative noise than another metric in most runs? A sign test.

    Runs are pairs of data set and seed; the noise is that of `metric_stability.csv`.
    """
    table = stability({name: data.keyed(name) for name in ("loss", metric)}, method.stability)
    noise = table[table["seed"] != "all"].pivot(
        index=["dataset", "seed"], columns="metric", values="relative_noise"
    )
    if noise.isna().to_numpy().any():
        raise NotTestable("the runs have too few checkpoints to tell noise from change")
    won = int((noise["loss"] < noise[metric]).sum())
    ratio = noise[metric] / noise["loss"]
    note = f"median ratio {ratio.median():.2g}" if np.isfinite(ratio.median()) else ""
    seeds = max(len(runs) for runs in data.runs["loss"].values())
    return _share(won, len(noise), method, "runs", seeds)._replace(note=note)


def fairer(data: Data, method: Method) -> Effect:
    """Do data sets explain less of the variance between instances in loss than in reward?

    Of the mean of the last checkpoints and of all seeds: the share of the variance between
    instances that lies between data sets, each with the same weight. Bootstrap over tasks.
    """
    if len(data.roles()) < 2:
        raise NotTestable("one data set alone: nothing to be fair between")
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
        p_value=_bootstrap_p(found < 0),
        region=NEGATIVE,
        quantity="difference of shares",
        test="bootstrap",
        units="tasks",
        n=units,
        seeds=max(len(runs) for runs in data.runs["loss"].values()),
        note=f"{100 * shares['loss'][0]:.2g}% against {100 * shares['reward'][0]:.2g}%",
    )


def tells_apart(data: Data, method: Method) -> Effect:
    """Is the AUC of rewards of right and wrong answers near one half? Two one-sided tests.

    The bootstrap draws units of the test set, each with all its answers of all seeds.
    """
    scores, rewards = data.keyed("exact_match"), data.keyed("reward")
    table, _ = answers(scores, rewards, method.distribution.checkpoints)
    unit, names = pd.factorize(table["id"].map(next(iter(scores.values())).units), sort=True)
    reward, is_right = table["reward"].to_numpy(float), table["right"].to_numpy(bool)
    right, wrong = (Group(reward[its], unit[its]) for its in (is_right, ~is_right))
    for name, group in (("right", right), ("wrong", wrong)):
        few = len(group.values) < method.distribution.min_answers
        if few or len(np.unique(group.cluster)) < method.distribution.min_instances:
            of = f"{len(group.values)} {name} answers to {len(np.unique(group.cluster))}"
            raise NotTestable(f"only {of} of the {len(names)} tasks")
    drawn = method.generator().multinomial(
        len(names), [1 / len(names)] * len(names), method.comparison.resamples
    )
    found = aucs(right, wrong, np.concatenate([np.ones((1, len(names))), drawn]))
    found = found[np.isfinite(found)]
    margin = method.settings.auc_margin
    effect = _near(found, 0.5, margin, method, "AUC", len(names), len(scores))
    note = ""
    if min(np.ptp(right.values), np.ptp(wrong.values)) > 0:
        points = grid(right.values, wrong.values)
        shared = overlap(density(right.values, points), density(wrong.values, points), points)
        note = f"overlap {shared:.2f}"
    return effect._replace(note=note)


# --- Task by task --------------------------------------------------------------------------------


def sudden(data: Data, method: Method) -> Effect:
    """Is the largest fall between two checkpoints larger in the first order than in the second?

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
            raise NotTestable("fewer than two checkpoints after step 0")
        largest[role] = np.array([its.max(axis=0) for its in falls])
    ours, theirs = largest.values()
    if len(ours) != len(theirs) and 1 not in (len(ours), len(theirs)):
        raise NotTestable("the orders have different seeds")
    return _over_tasks(ours - theirs, method, POSITIVE, "difference, nats")


def follows(data: Data, method: Method, measure: str) -> Effect:
    """Does a task's loss fall where its distance to the data seen falls? Blocks are permuted.

    Spearman's correlation, over the checkpoints after step 0, of the change in loss with the change
    in distance, both less their mean over tasks: what falls in all tasks alike, as everything does
    early in a run, says nothing about a task. Averaged over tasks and seeds. For the p-value, blocks
    of neighbouring changes in distance change places, the same in all tasks and seeds.
    """
    ((role, seeds),) = data.runs["loss"].items()
    tasks = common_tasks(seeds.values())
    if len(tasks) < 2:
        raise NotTestable("one task alone: nothing to compare its falls with")
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
        raise NotTestable(f"{count} changes make {len(starts)} blocks; it takes {MIN_BLOCKS}")
    # Without those whose nearest instance was seen before the first change.
    defined = np.isfinite(correlation(losses, distances)).all(axis=0)
    losses, distances = losses[:, defined], distances[:, defined]
    found = correlation(losses, distances)
    effect = _over_tasks(found, method, POSITIVE, "rank correlation")
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
    """Do other test instances of a task change the shape of its loss curve? Samples are permuted.

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
        raise NotTestable("with one seed, samples cannot be told from luck")
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

    effect = _over_tasks(shared(shapes)[None], method, POSITIVE, "share of the shape")
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


# --- Similarity and loss -------------------------------------------------------------------------


def same_correlation(data: Data, method: Method, pairs: Sequence[tuple[str, str]]) -> Effect:
    """Do two measures go equally well with the loss? Two one-sided tests; the worst pair counts.

    Correlations are those between arrangements of `similarity_vs_loss`, and their bootstrap draws
    tasks and seeds.
    """
    draws = _correlations(data, method)
    found = {one: _none(data, method, draws[one] - draws[other]) for one, other in pairs}
    worst = max(found, key=lambda one: (not _inside(found[one]), found[one].p_value))
    note = f"farthest apart: {worst.partition('-')[2]}"
    return found[worst]._replace(quantity="difference of correlations", note=note)


def no_correlation(data: Data, method: Method, measure: str) -> Effect:
    """Does a measure not go with the loss? Two one-sided tests on its correlation."""
    return _none(data, method, _correlations(data, method)[measure])


def _none(data: Data, method: Method, draws: "pd.Series[float]") -> Effect:
    """Return a correlation, or a difference of two, with the test of its being none."""
    seeds = max(len(runs) for runs in data.runs["loss"].values())
    tasks = len(common_tasks(data.keyed().values()))
    margin = method.settings.correlation_margin
    return _near(draws.to_numpy(), 0, margin, method, "rank correlation", tasks, seeds)


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


# --- What they share -----------------------------------------------------------------------------


def _over_tasks(values: Floats, method: Method, region: Region, quantity: str) -> Effect:
    """Return the mean of (seeds, tasks) values: min F' interval, sign flips of tasks.

    A task without a value in any seed is left out.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    seeds, tasks = values.shape
    if tasks < 2:
        raise NotTestable(f"{tasks} tasks have a value; it takes two")
    sample = Sample(np.arange(tasks), np.zeros(tasks, dtype=np.intp), np.full(tasks, 1 / tasks))
    pooled = float(variance_over_seeds(values[None], sample)[0])
    found = estimates(values[None], sample, method.confidence, pooled)
    p_value = max_t(found, method.comparison.resamples, method.comparison.seed)[0]
    return Effect(
        estimate=float(found.mean[0]),
        low=float(found.low[0]),
        high=float(found.high[0]),
        p_value=float(p_value),
        region=region,
        quantity=quantity,
        test="sign flips",
        units="tasks",
        n=tasks,
        seeds=seeds,
    )


def _share(won: int, n: int, method: Method, units: str, seeds: int) -> Effect:
    """Return a share of units with Clopper and Pearson's interval, and the sign test of a half."""
    test = stats.binomtest(won, n)
    low, high = test.proportion_ci(method.confidence)
    return Effect(
        estimate=won / n,
        low=float(low),
        high=float(high),
        p_value=float(test.pvalue),
        region=MOST,
        quantity=f"of {n} {units}",
        test="sign test",
        units=units,
        n=n,
        seeds=seeds,
    )


def _near(
    draws: Floats,
    centre: float,
    margin: float,
    method: Method,
    quantity: str,
    n: int,
    seeds: int,
) -> Effect:
    """Return an effect on n tasks that resamples, the sample first, show to be near a centre or not.

    It is near where it differs by less than the margin: two one-sided tests.
    """
    if not np.isfinite(draws).all():
        raise NotTestable("a resample has no correlation")
    low, high = np.quantile(draws[1:], method.tails)
    beyond = [draws[1:] >= centre + margin, draws[1:] <= centre - margin]
    p_value = float(max((1 + its.sum()) / len(draws) for its in beyond))
    if abs(draws[0] - centre) > margin:
        p_value = _bootstrap_p(np.abs(draws - centre) <= margin)
    return Effect(
        estimate=float(draws[0]),
        low=float(low),
        high=float(high),
        p_value=p_value,
        region=(centre - margin, centre + margin),
        quantity=quantity,
        test="two one-sided tests, bootstrap",
        units="tasks",
        n=n,
        seeds=seeds,
    )


def _bootstrap_p(inside: npt.NDArray[np.bool_]) -> float:
    """Return twice the share of resamples on the other side of a bound than the sample, the first."""
    other = (inside[1:] != inside[0]).sum()
    return float(min(1.0, 2 * (1 + other) / len(inside)))


def _resampled_curves(runs: Sequence[Run], method: Method) -> tuple[Floats, str, int]:
    """Return the (1 + resamples, K) mean curves of resampled seeds and units, their name and number.

    A test set of one unit has its instances in place of units.
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
            raise NotTestable("the runs do not begin at step 0, or end there")
    return np.asarray(steps)


def _bound(steps: npt.NDArray[Any], paper_step: int, data: Data) -> float:
    """Return the first checkpoint at or after the paper's step, scaled to the run."""
    assert data.paper_steps is not None
    scaled = paper_step * steps[-1] / data.paper_steps
    return float(steps[1:][steps[1:] >= scaled][0])


def _standard_ranks(values: Floats) -> Floats:
    """Return the ranks along the last axis with mean 0 and sum of squares 1."""
    ranks = stats.rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    return np.asarray(ranks / np.sqrt((ranks**2).sum(axis=-1, keepdims=True)))


Test = Callable[..., Effect]
TESTS: dict[str, Test] = {
    test.__name__: test
    for test in (
        *(difference, between, equivalence, trend),
        *(early, early_tasks, steadier, fairer, tells_apart),
        *(sudden, follows, samples_differ),
        *(same_correlation, no_correlation),
    )
}
