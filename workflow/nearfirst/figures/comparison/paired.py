"""Paired comparisons of arrangements."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison import CHECKPOINT, END, RUN
from nearfirst.figures.comparison.inference import Sample, questions
from nearfirst.figures.run import Run, Runs, by_label, check_instances, common_steps
from nearfirst.figures.settings import ComparisonSettings, Units
from nearfirst.metrics import MetricName


def paired_comparison(
    runs: Runs,
    reference: str,
    settings: ComparisonSettings,
    metric: MetricName = "loss",
    weighting: str = "instance",
) -> pd.DataFrame:
    """Compare one arrangement with each of the others, paired by seed and test instance.

    A difference is the reference's value minus the other's, so a negative difference in loss means
    that the reference is better. Raises InputError like `compare_contrasts`.
    """
    others = [name for name in by_label(runs) if name != reference]
    contrasts = {f"{reference}-{name}": {reference: 1.0, name: -1.0} for name in others}
    return compare_contrasts(runs, contrasts, settings, metric, weighting)


def compare_contrasts(
    runs: Runs,
    contrasts: Mapping[str, Mapping[str, float]],
    settings: ComparisonSettings,
    metric: MetricName = "loss",
    weighting: str = "instance",
) -> pd.DataFrame:
    """Test weighted sums of labels' values against zero, paired by seed and test instance.

    Sums are taken at each checkpoint after step 0 that all labels have, and averaged over the run.
    A single run (of an arrangement that does not depend on the seed) is paired with every seed.
    Raises InputError if the runs cannot be paired (different instances or seeds, no common
    checkpoint after step 0), or the test set has no sample of the units asked for.

    Parameters
    ----------
    contrasts
        Weights of the labels for each comparison: 1 and -1 for a difference, 1, -1, -1 and 1 for a
        difference of differences (an interaction).
    weighting
        See `curves.mean_curve`.

    Returns
    -------
    One row for each comparison over the run, then one for its end, then one for each checkpoint:

    comparison, metric
        Labels, and what is compared.
    question
        Where the difference is tested: over the `run` (the primary test), at its `end`, or at a
        `checkpoint`.
    steps
        A checkpoint, or the first and last of a run.
    difference, low, high
        Mean and its interval over seeds and units (`inference.estimates`).
    identical
        1 if the runs hold the same instances at every step, so that they cannot differ; else 0.
    p_value
        Corrected over the comparisons, or over all their checkpoints (`inference.max_t`).
    units_lower, seeds_lower
        Shares of units and seeds in which the reference is lower.
    seeds, instances, tasks, units, confidence
        Pairs of runs, size of the test set, and what intervals and tests generalize to.
    """
    check_instances(runs)
    labels = by_label(runs)
    check_pairs(labels)
    if not (steps := common_steps(runs.values())):
        last = {label: run.values.index[-1] for (label, _), run in runs.items()}
        raise InputError(
            "a comparison needs a checkpoint after step 0 that all arrangements share; their last "
            f"steps are {', '.join(f'{label} {step}' for label, step in last.items())}; lower "
            "train.checkpoint_every"
        )
    run = next(iter(runs.values()))
    units, sample = sample_of(run, settings.units, weighting)
    # (seeds, steps, instances): a single run broadcasts over the seeds of the others.
    cubes = {
        label: np.stack([seeds[seed].values.loc[steps].to_numpy() for seed in sorted(seeds)])
        for label, seeds in labels.items()
    }
    differences = {
        name: sum((weight * cubes[label] for label, weight in weights.items()), np.zeros(()))
        for name, weights in contrasts.items()
    }
    identical = [_is_identical(labels, weights) for weights in contrasts.values()]
    answers = questions(
        list(differences.values()), sample, settings.confidence, settings.resamples, settings.seed
    )
    names = [str(step) for step in steps]
    steps_of = {RUN: [f"{names[0]}-{names[-1]}"], END: names[-1:], CHECKPOINT: names}
    parts = []
    for question, (rows, p_values) in answers.items():
        count = len(steps_of[question])
        columns = {
            "comparison": np.repeat(list(differences), count),
            "metric": metric,
            "question": question,
            "steps": steps_of[question] * len(differences),
            "identical": np.repeat(identical, count),
            "difference": rows.mean,
            "low": rows.low,
            "high": rows.high,
            "p_value": p_values,
            "units_lower": rows.units_lower,
            "seeds_lower": rows.seeds_lower,
            "seeds": np.repeat([len(cube) for cube in differences.values()], count),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True).assign(
        instances=len(run.task),
        tasks=run.task.nunique(),
        units=units,
        confidence=settings.confidence,
    )


def _is_identical(labels: Mapping[str, Mapping[int, Run]], weights: Mapping[str, float]) -> int:
    """Return 1 if the weights of runs with the same content cancel for every seed, else 0."""
    for seed in set.union(*(set(labels[label]) for label in weights)):
        sums: dict[str, float] = {}
        for label, weight in weights.items():
            runs = labels[label]
            content = runs[seed if seed in runs else next(iter(runs))].content or label
            sums[content] = sums.get(content, 0) + weight
        if any(sums.values()):
            return 0
    return 1


def sample_of(run: Run, units: Units, weighting: str) -> tuple[str, Sample]:
    """Return the kind of unit that a test set is a sample of, and how it was drawn.

    Units are whole tasks (conversations where data have no tasks), or the instances of each task,
    with the tasks fixed. A test set of one task has instances as units. Raises InputError if
    instances are asked for and no task has two of them.
    """
    weight = run.weights(weighting).to_numpy()
    weight = weight / weight.sum()
    unit, unit_names = pd.factorize(run.units, sort=True)
    if units == "task" and len(unit_names) > 1:
        return run.unit, Sample(unit, np.zeros(len(unit_names), dtype=np.intp), weight)
    stratum, _ = pd.factorize(run.task, sort=True)
    sample = Sample(np.arange(len(weight)), stratum, weight)
    if units == "instance" and not sample.freedom:
        raise InputError(
            "comparison.units: 'instance' needs tasks of two or more test instances; this test set "
            "has one of each: use 'task'"
        )
    return "instance", sample


def check_pairs(labels: Mapping[str, Mapping[int, Run]]) -> None:
    """Raise InputError unless labels have the same seeds, or a single run."""
    seeds_of = {name: sorted(seeds) for name, seeds in labels.items()}
    repeated = {name: seeds for name, seeds in seeds_of.items() if len(seeds) > 1} or seeds_of
    first, expected = next(iter(repeated.items()))
    for name, seeds in repeated.items():
        if seeds != expected:
            raise InputError(
                f"{name} has seeds {seeds}, but {first} has {expected}; runs are paired by seed"
            )
