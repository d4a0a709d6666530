"""Paired comparisons of arrangements."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.errors import InputError
from nearfirst.statistics.run import Runs, check_instances, check_seeds

Floats = npt.NDArray[np.float64]


def paired_comparison(
    runs: Runs, reference: str, confidence: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Compare one arrangement with each other one, paired by seed and test instance.

    The difference of a pair is the reference's value minus the other's: of a loss, negative means
    that the reference is better. It is taken at the first checkpoint after step 0 that all
    arrangements have, at the last one, and as a mean over all of them. Its interval is a bootstrap
    over seeds and over instances at once; the p-value is Wilcoxon's signed-rank test over
    instances, each averaged over seeds. The one run of an arrangement that no seed changes stands
    for every seed.

    Returns
    -------
    Columns comparison, steps, difference, low, high, p_value, instances_lower and seeds_lower
    (shares in which the reference is lower), seeds (pairs of runs), instances.

    Raises
    ------
    InputError
        If the reference is no label, there is nothing to compare it with, or the runs cannot be
        paired: other instances, other seeds, no common checkpoint after step 0.
    """
    check_seeds(runs)
    check_instances(runs)
    by_label = {name: sorted(s for label, s in runs if label == name) for name, _ in runs}
    if reference not in by_label or len(by_label) < 2:
        raise InputError(
            f"reference {reference!r}: expected one of two or more labels, "
            f"found {', '.join(by_label)}"
        )
    _check_pairs(by_label)
    steps = _common_steps(runs)
    rows = []
    for other in (label for label in by_label if label != reference):
        # (seeds, steps, instances); a single run is paired with every seed of the other.
        difference = _cube(runs, reference, steps) - _cube(runs, other, steps)
        for name, part in (
            (f"{steps[0]}", difference[:, 0]),
            (f"{steps[0]}-{steps[-1]}", difference.mean(axis=1)),
            (f"{steps[-1]}", difference[:, -1]),
        ):
            low, high = _bootstrap(part, confidence, resamples, seed)
            per_instance = part.mean(axis=0)
            p_value = stats.wilcoxon(per_instance).pvalue if np.any(per_instance) else 1.0
            rows.append(
                {
                    "comparison": f"{reference}-{other}",
                    "steps": name,
                    "difference": part.mean(),
                    "low": low,
                    "high": high,
                    "p_value": p_value,
                    "instances_lower": (per_instance < 0).mean(),
                    "seeds_lower": (part.mean(axis=1) < 0).mean(),
                    "seeds": part.shape[0],
                    "instances": part.shape[1],
                }
            )
    return pd.DataFrame(rows)


def _check_pairs(by_label: dict[str, list[int]]) -> None:
    """Raise InputError unless labels have the same seeds, or one run beside others' several."""
    several = {name: seeds for name, seeds in by_label.items() if len(seeds) > 1} or by_label
    first, expected = next(iter(several.items()))
    for name, seeds in several.items():
        if seeds != expected:
            raise InputError(f"{name} has seeds {seeds}, but {first} {expected}: no pairs")


def _common_steps(runs: Runs) -> list[int]:
    """Return the steps after 0 that all runs have."""
    common = set.intersection(*(set(run.values.index) for run in runs.values())) - {0}
    if not common:
        found = {label: [s for s in run.values.index if s > 0] for (label, _), run in runs.items()}
        last = ", ".join(f"{label} {steps[-1] if steps else 0}" for label, steps in found.items())
        raise InputError(
            "a comparison needs a checkpoint after step 0 that all arrangements have; their last "
            f"steps are: {last}; lower train.checkpoint_every"
        )
    return sorted(common)


def _cube(runs: Runs, label: str, steps: list[int]) -> Floats:
    """Return the (seeds, steps, instances) values of an arrangement."""
    seeds = sorted(seed for name, seed in runs if name == label)
    return np.stack([runs[label, seed].values.loc[steps].to_numpy() for seed in seeds])


def _bootstrap(
    difference: Floats, confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Return the percentile interval of the mean of a (seeds, instances) table."""
    generator = np.random.default_rng(seed)
    seeds, instances = difference.shape
    over_seeds = generator.multinomial(seeds, [1 / seeds] * seeds, resamples) / seeds
    over_instances = (
        generator.multinomial(instances, [1 / instances] * instances, resamples) / instances
    )
    means = np.einsum("rs,si,ri->r", over_seeds, difference, over_instances)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
