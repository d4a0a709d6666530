"""Advice on what to train on, from runs on parts of a pool."""

from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.common.measured import job_seconds
from nearfirst.common.parquet import read_ids
from nearfirst.data.half import half_mask
from nearfirst.figures.comparison.inference import (
    Estimates,
    Floats,
    Sample,
    estimates,
    max_t,
    variance_over_seeds,
)
from nearfirst.figures.comparison.paired import check_pairs, sample_of
from nearfirst.figures.read import runs_of
from nearfirst.figures.run import Runs, by_label, check_instances
from nearfirst.figures.settings import ComparisonSettings

Jobs = Mapping[str, Mapping[str, Sequence[str]]]
"""Patterns of the benchmark files of each arrangement's `selection` and `training`."""


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the numbers of a figure of kind `advice` (`Figure.compute`)."""
    if settings.test is None:
        raise InputError("--test: the test instances, of which one half chooses, are missing")
    ids = read_ids(settings.test)
    chooses = set(compress(ids, half_mask(ids)))
    runs, weighting = runs_of(figure, tables), settings.curves.weighting
    table = advice(runs, figure.orders, chooses, settings.comparison, weighting)
    table["baseline"] = (table["arrangement"] == figure.baseline).astype(int)
    times = seconds(settings.jobs, table["arrangement"].tolist())
    return [pd.concat([table, times], axis=1)]


def advice(
    runs: Runs,
    orders: Mapping[str, Sequence[str]],
    chooses: Collection[str],
    settings: ComparisonSettings,
    weighting: str = "instance",
) -> pd.DataFrame:
    """Choose an arrangement on one half of the test set, and measure all on the other half.

    The arrangement with the lowest mean loss at the end of its run is chosen. `orders` holds the
    arrangements of each order, `chooses` the ids of the test instances in the half that chooses
    (`data.half.half_mask`). Raises InputError if runs cannot be paired or do not say what they were
    trained on, or a half of the test set is too small.

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
        Loss of the chosen arrangement minus that of this one on the other half, paired, with its
        test, corrected over all rows (`inference.max_t`); NaN for the chosen one.
    n, choosing_instances, instances, units, confidence
        Seeds, sizes of the halves, and what intervals and tests generalize to.
    """
    check_instances(runs)
    labels = by_label(runs)
    names = [name for arrangements in orders.values() for name in arrangements]
    firsts = [labels[name][min(labels[name])] for name in names]
    for name, run in zip(names, firsts, strict=True):
        if "pool" not in run.counted:
            raise InputError(f"{name}: its losses do not say what was trained on; train it here")
    check_pairs(labels)
    n_seeds = max(map(len, labels.values()))
    run = firsts[0]
    is_choosing = run.values.columns.isin([*chooses])
    sizes = int(is_choosing.sum()), int((~is_choosing).sum())
    if min(sizes) < 2:
        raise InputError(
            f"a test set of {len(is_choosing)} instances has halves of {sizes[0]} and {sizes[1]}, "
            "but each half needs at least two; give a larger test set"
        )
    # (arrangements, seeds, instances) at the end; a single run is paired with every seed.
    losses = np.empty((len(names), n_seeds, len(is_choosing)))
    for i, name in enumerate(names):
        seeds = labels[name]
        losses[i] = [seeds[seed].values.iloc[-1].to_numpy() for seed in sorted(seeds)]
    units, sample = sample_of(run.select(~is_choosing), settings.units, weighting)
    weights = run.weights(weighting).to_numpy()[is_choosing]
    choosing = (losses[..., is_choosing] @ (weights / weights.sum())).mean(axis=1)
    chosen = int(choosing.argmin())
    held_out = losses[..., ~is_choosing]
    level = _estimate(held_out, sample, settings.confidence)
    others = np.delete(np.arange(len(names)), chosen)
    difference = _estimate(held_out[[chosen]] - held_out[others], sample, settings.confidence)
    p_values = max_t(difference, settings.resamples, settings.seed)
    return pd.DataFrame(
        {
            "order": [order for order, arrangements in orders.items() for _ in arrangements],
            "arrangement": names,
            "share": [run.counted["trained"] / run.counted["pool"] for run in firsts],
            "trained": [run.counted["trained"] for run in firsts],
            "pool": [run.counted["pool"] for run in firsts],
            "steps": [run.values.index.max() for run in firsts],
            "tokens": [run.counted["tokens"] for run in firsts],
            "choosing": choosing,
            "chosen": (np.arange(len(names)) == chosen).astype(int),
            "loss": level.mean,
            "low": level.low,
            "high": level.high,
            "difference": np.insert(difference.mean, chosen, np.nan),
            "difference_low": np.insert(difference.low, chosen, np.nan),
            "difference_high": np.insert(difference.high, chosen, np.nan),
            "p_value": np.insert(p_values, chosen, np.nan),
            "n": [len(labels[name]) for name in names],
            "choosing_instances": sizes[0],
            "instances": sizes[1],
            "units": units,
            "confidence": settings.confidence,
        }
    )


def seconds(jobs: Jobs, names: Sequence[str]) -> pd.DataFrame:
    """Return the seconds of selection and of training of one run of each arrangement.

    They are NaN where benchmark files are missing: these are not results, and may be deleted.
    """
    rows = []
    for name in names:
        row = {}
        for part in ("selection", "training"):
            patterns = jobs.get(name, {}).get(part, ())
            times = [[job_seconds(path) for path in sorted(Path().glob(p))] for p in patterns]
            is_complete = bool(times) and all(times)
            row[f"{part}_seconds"] = sum(map(sum, times)) if is_complete else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _estimate(values: Floats, sample: Sample, confidence: float) -> Estimates:
    """Return the means of (rows, seeds, instances), each row with its interval."""
    return estimates(values, sample, confidence, float(variance_over_seeds(values, sample).mean()))
