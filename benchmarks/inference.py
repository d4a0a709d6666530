r"""Simulate whether the intervals and tests of paired comparisons keep their levels.

Differences of two arrangements from a common reference are drawn at 20 checkpoints, with crossed
random effects of tasks, instances, seeds and base models, and analysed as `compare.py` does. Base
models vary as seeds do. The sizes of the effects can be estimated from losses:

  PYTHONPATH=workflow python benchmarks/inference.py \
      results/losses/flan/specialist-0/*/seed-*/*.parquet --figure '{"kind": "arrangements",
      "curves": {"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"}, "reference": "NFT"}'
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.figures.comparison.inference import Sample, questions
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.registry import KINDS
from nearfirst.figures.run import Runs, by_label

Floats = npt.NDArray[np.float64]
CHECKPOINTS = 20


class Effects(NamedTuple):
    """Standard deviations of the effects on a paired difference at a checkpoint.

    Attributes
    ----------
    task, instance, seed, seed_task, residual
        Instances lie within tasks, and the residual is of an instance and a seed.
    persistence
        Correlation of an effect with itself a checkpoint later.
    """

    task: float
    instance: float
    seed: float
    seed_task: float
    residual: float
    persistence: float


def measured(runs: Runs, reference: str) -> Effects:
    """Estimate the effects on the differences from a reference, by the moments of an ANOVA.

    Seeds are crossed with tasks, within which lie instances: as many of each task as the smallest
    has. Variances are means over comparisons and checkpoints after step 0, from 0.
    """
    labels = by_label(runs)
    ours = labels.pop(reference)
    task = next(iter(ours.values())).task
    count = task.value_counts().min()
    groups = [group.index[:count] for _, group in task.groupby(task)]
    variances, persistence = [], []
    for theirs in labels.values():
        seeds = sorted(ours.keys() & theirs.keys())
        tables = [ours[seed].values - theirs[seed].values for seed in seeds]
        # (seeds, tasks, instances, checkpoints)
        cube = np.array([[table.loc[1:, ids].T for ids in groups] for table in tables])
        variances.append(_variances(cube))
        means = cube.mean(axis=(0, 2))
        correlations = [
            np.corrcoef(earlier, later)[0, 1]
            for earlier, later in zip(means.T[:-1], means.T[1:], strict=True)
        ]
        persistence.append(np.mean(correlations))
    return Effects(*np.sqrt(np.maximum(np.mean(variances, axis=0), 0)), float(np.mean(persistence)))


def _variances(cube: Floats) -> Floats:
    """Return the variances of task, instance, seed, seed and task, residual."""
    seeds, tasks, instances, _ = cube.shape
    of_seed_task, of_instance = cube.mean(axis=2), cube.mean(axis=0)
    of_task, of_seed = of_instance.mean(axis=1), of_seed_task.mean(axis=1)
    mean = of_task.mean(axis=0)
    rest = cube - of_seed_task[:, :, None] - of_instance[None] + of_task[None, :, None]
    residual = (rest**2).sum(axis=(0, 1, 2)) / (seeds - 1) / tasks / (instances - 1)
    interaction = of_seed_task - of_seed[:, None] - of_task[None] + mean
    of_both = instances * (interaction**2).sum(axis=(0, 1)) / (seeds - 1) / (tasks - 1)
    within = seeds * ((of_instance - of_task[:, None]) ** 2).sum(axis=(0, 1))
    within /= tasks * (instances - 1)
    of_tasks = seeds * instances * of_task.var(axis=0, ddof=1)
    of_seeds = tasks * instances * of_seed.var(axis=0, ddof=1)
    moments = [
        (of_tasks - within - of_both + residual) / (seeds * instances),
        (within - residual) / seeds,
        (of_seeds - of_both) / (tasks * instances),
        (of_both - residual) / instances,
        residual,
    ]
    return np.mean(moments, axis=1)


class Rates(NamedTuple):
    """Shares of simulated experiments: intervals that cover, and questions with p ≤ 0.05."""

    run_covered: float
    end_covered: float
    run_detected: float
    end_detected: float
    checkpoint_detected: float


def simulate(
    effects: Effects,
    seeds: int,
    tasks: int,
    instances: int,
    *,
    units: str = "task",
    effect: float = 0.0,
    base: float = 0.0,
    one_base: bool = False,
    experiments: int = 1000,
    flips: int = 999,
    seed: int = 0,
) -> Rates:
    """Simulate experiments in which two arrangements differ from a reference by an effect.

    Parameters
    ----------
    units
        `task`: the truth is the mean over all tasks. `instance`: that over all instances of these
        tasks, whose effects have a mean of exactly zero.
    effect
        The true difference. Without one, what is detected is a false positive.
    base
        Variance over base models of a difference and of its tasks, as a share of that over seeds.
    one_base
        Whether all seeds share a base model; otherwise each has its own.
    """
    generator = np.random.default_rng(seed)
    lag = np.abs(np.subtract.outer(np.arange(CHECKPOINTS), np.arange(CHECKPOINTS)))
    persistent = np.linalg.cholesky(effects.persistence**lag)

    def draw(size: float, *shape: int) -> Floats:
        # Of three arms: the differences of two of them from the first have the variance asked for.
        arms = generator.normal(size=(3, *shape, CHECKPOINTS)) @ persistent.T
        return size / np.sqrt(2) * (arms[1:] - arms[:1])

    task = np.repeat(np.arange(tasks), instances)
    by_task = units == "task"
    weight = np.full(len(task), 1 / len(task))
    sample = Sample(
        task if by_task else np.arange(len(task)),
        np.zeros(tasks, dtype=int) if by_task else task,
        weight,
    )
    bases = 1 if one_base else seeds
    outcomes = []
    for _ in range(experiments):
        of_task = draw(effects.task, 1, tasks)
        if not by_task:
            of_task -= of_task.mean(axis=2, keepdims=True)
        of_base = draw(np.sqrt(base) * effects.seed, bases, 1)
        of_base = of_base + draw(np.sqrt(base) * effects.seed_task, bases, tasks)
        of_seed = draw(effects.seed, seeds, 1) + draw(effects.seed_task, seeds, tasks)
        values = (of_task + of_base + of_seed)[:, :, task]
        values = values + draw(effects.instance, 1, len(task))
        values = values + draw(effects.residual, seeds, len(task)) + effect
        answers = questions(list(values.swapaxes(2, 3)), sample, 0.95, flips, seed)
        covered = [
            np.mean((interval.low <= effect) & (interval.high >= effect))
            for interval, _ in list(answers.values())[:2]
        ]
        outcomes.append(covered + [(p_values <= 0.05).any() for _, p_values in answers.values()])
    return Rates(*np.mean(outcomes, axis=0))


def main(arguments: argparse.Namespace) -> None:
    """Print the effects, coverage and false positives."""
    effects = Effects(*arguments.effects)
    if arguments.tables:
        figure = KINDS.parse(arguments.figure)
        effects = measured(results_of(read_runs(arguments.tables), figure), figure.reference)
    print(", ".join(f"{name} {size:.3g}" for name, size in effects._asdict().items()))
    print(f"{'':64s} intervals cover   detected")
    print(f"{'':64s}    run     end     run     end  checkpoint")
    designs = ((1, 32), (2, 32), (3, 16), (3, 32), (3, 64), (5, 32))
    kinds = (("task", False, 0.0), ("task", True, 0.0), ("instance", False, 0.0))
    lines = [(design, kind) for design in designs for kind in kinds]
    lines += [((3, tasks), ("task", False, -0.2)) for tasks in (16, 32, 48, 64)]
    for (seeds, tasks), (units, one_base, effect) in lines:
        rates = simulate(
            effects,
            *(seeds, tasks, 3),
            units=units,
            effect=effect,
            base=1.0,
            one_base=one_base,
            experiments=arguments.experiments,
        )
        bases = "one base" if one_base else "a base each"
        name = f"{seeds} seeds, {bases}, {tasks} tasks x 3, units {units}, effect {effect:g}"
        print(f"{name:64s}", *(f"{rate:7.1%}" for rate in rates), flush=True)


if __name__ == "__main__":
    flags = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags.add_argument("tables", nargs="*", type=Path, help="losses (Parquet)")
    flags.add_argument("--figure", help="row of a figure of arrangements (JSON), for the tables")
    flags.add_argument(
        "--effects",
        nargs=len(Effects._fields),
        type=float,
        default=(0.35, 0.2, 0.03, 0.1, 0.1, 0.9),
        metavar=Effects._fields,
        help="without tables; default: about those of NFT - RT in an earlier mini",
    )
    flags.add_argument("--experiments", type=int, default=1000)
    main(flags.parse_args())
