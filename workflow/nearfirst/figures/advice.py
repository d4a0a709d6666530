"""From runs on parts of a pool to what to train on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.common.measured import job_seconds
from nearfirst.figures.comparison.inference import (
    Estimates,
    Floats,
    Sample,
    estimates,
    max_t,
    variance_over_seeds,
)
from nearfirst.figures.comparison.paired import sample_of
from nearfirst.figures.run import Run, Runs, by_label, check_instances, check_seeds
from nearfirst.figures.settings import ComparisonSettings

Jobs = Mapping[str, Mapping[str, Sequence[str]]]
"""Of each arrangement the patterns of benchmark files of its `selection` and its `training`."""


def advice(
    runs: Runs,
    orders: Mapping[str, Sequence[str]],
    chooses: Collection[str],
    settings: ComparisonSettings,
    weighting: str = "instance",
) -> pd.DataFrame:
    """Choose an arrangement on one half of the test set, and measure all on the other half.

    The arrangement with the lowest mean loss at the end of its run is chosen.

    Parameters
    ----------
    runs
        By arrangement and seed, from the loss of the same test instances.
    orders
        The arrangements of each order.
    chooses
        Ids of the test instances that choose (`data.half.in_half`).

    Returns
    -------
    A row for each arrangement, by order and share:

    order, arrangement, share, trained, pool, steps, tokens
        What was trained on; `tokens` of one run.
    choosing, chosen
        Mean loss on the half that chooses; 1 for the lowest, else 0.
    loss, low, high
        Mean loss on the other half, with its interval (`inference.estimates`).
    difference, difference_low, difference_high, p_value
        Loss of the chosen arrangement minus this one's on that half, paired, and its test,
        corrected over all rows (`inference.max_t`); NaN in its own row.
    n, choosing_instances, instances, units, confidence
        Seeds, size of either half, and what intervals and tests generalize to.

    Raises
    ------
    InputError
        If runs cannot be paired, do not say what they were trained on, or a half of the test set is
        too small.
    """
    check_seeds(runs)
    check_instances(runs)
    labels = by_label(runs)
    names = [name for its in orders.values() for name in its]
    firsts = [labels[name][min(labels[name])] for name in names]
    for name, run in zip(names, firsts, strict=True):
        if not run.pool:
            raise InputError(f"{name}: its losses do not say what was trained on; train it here")
    seeds = max(map(len, labels.values()))
    for name, its in labels.items():
        if len(its) not in (1, seeds):
            raise InputError(f"{name} has {len(its)} seeds, others have {seeds}")
    one = firsts[0]
    first = one.values.columns.isin([*chooses])
    sizes = int(first.sum()), int((~first).sum())
    if min(sizes) < 2:
        raise InputError(
            f"a test set of {len(first)} instances, in halves of {sizes[0]} and {sizes[1]}: each "
            "needs two at least; give more"
        )
    # (arrangements, seeds, instances) at the end; a single run is paired with every seed.
    ends = np.stack([np.broadcast_to(_ends(labels[name]), (seeds, len(first))) for name in names])
    units, sample = sample_of(_part(one, ~first), settings.units, weighting)
    choosing = _mean(ends[..., first], one.weights(weighting).to_numpy()[first])
    chosen = int(choosing.argmin())
    held_out = ends[..., ~first]
    level = _estimates(held_out, sample, settings.confidence)
    others = np.delete(np.arange(len(names)), chosen)
    difference = _estimates(held_out[[chosen]] - held_out[others], sample, settings.confidence)
    p_values = max_t(difference, settings.resamples, settings.seed)
    paired = np.full((4, len(names)), np.nan)
    paired[:, others] = difference.mean, difference.low, difference.high, p_values
    return pd.DataFrame(
        {
            "order": [order for order, some in orders.items() for _ in some],
            "arrangement": names,
            "share": [run.trained / run.pool for run in firsts],
            "trained": [run.trained for run in firsts],
            "pool": [run.pool for run in firsts],
            "steps": [run.values.index.max() for run in firsts],
            "tokens": [run.tokens for run in firsts],
            "choosing": choosing,
            "chosen": (np.arange(len(names)) == chosen).astype(int),
            "loss": level.mean,
            "low": level.low,
            "high": level.high,
            **dict(
                zip(
                    ("difference", "difference_low", "difference_high", "p_value"),
                    paired,
                    strict=True,
                )
            ),
            "n": [len(labels[name]) for name in names],
            "choosing_instances": sizes[0],
            "instances": sizes[1],
            "units": units,
            "confidence": settings.confidence,
        }
    )


def seconds(jobs: Jobs, names: Sequence[str]) -> pd.DataFrame:
    """Return the seconds of selection and of training of one run of each arrangement.

    They are NaN where benchmark files are missing: these are kept beside results, and may go.
    """
    rows = []
    for name in names:
        row = {}
        for part in ("selection", "training"):
            patterns = jobs.get(name, {}).get(part, ())
            found = [[job_seconds(it) for it in sorted(Path().glob(its))] for its in patterns]
            known = bool(found) and all(found)
            row[f"{part}_seconds"] = sum(map(sum, found)) if known else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _ends(seeds: Mapping[int, Run]) -> Floats:
    """Return the (seeds, instances) losses at the last step of an arrangement's runs."""
    return np.stack([seeds[seed].values.iloc[-1].to_numpy() for seed in sorted(seeds)])


def _part(run: Run, which: npt.NDArray[np.bool_]) -> Run:
    """Return a run on some of its test instances."""
    ids = run.values.columns[which]
    task, label_tokens = run.task.loc[ids], run.label_tokens.loc[ids]
    return replace(run, values=run.values[ids], task=task, label_tokens=label_tokens)


def _mean(values: Floats, weight: npt.NDArray[Any]) -> Floats:
    """Return the (arrangements,) means of (arrangements, seeds, instances)."""
    means: Floats = (values @ (weight / weight.sum())).mean(axis=1)
    return means


def _estimates(values: Floats, sample: Sample, confidence: float) -> Estimates:
    """Return the means of (rows, seeds, instances), each row with its interval."""
    return estimates(values, sample, confidence, float(variance_over_seeds(values, sample).mean()))
