"""From the losses of runs to curves with intervals, and to paired comparisons."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.errors import InputError
from nearfirst.tables import LOSSES, read_table

Runs = Mapping[tuple[str, int], pd.DataFrame]
"""Losses of each (arrangement label, seed): columns step, id, task, loss, label_tokens."""


def read_run(paths: Sequence[Path]) -> tuple[pd.DataFrame, int]:
    """Read the losses of one run from its segments.

    Returns
    -------
    losses, left_out
        All rows, and how many test instances truncation left without a label.

    Raises
    ------
    InputError
        What `read_table` raises, or if a step is there twice or a loss is not finite.
    """
    tables = [read_table(path, LOSSES, unique=None) for path in paths]
    left_out = int((tables[0].schema.metadata or {}).get(b"left_out", b"0"))
    parts: list[pd.DataFrame] = [table.to_pandas() for table in tables]
    for path, part in zip(paths, parts, strict=True):
        bad = part[~np.isfinite(part["loss"])]
        if len(bad):
            row = bad.iloc[0]
            raise InputError(
                f"{path}: the loss of id '{row['id']}' at step {row['step']} is {row['loss']}; "
                "the run diverged or the table is damaged"
            )
    losses = pd.concat(parts, keys=range(len(parts)))
    again = losses[losses.duplicated(["step", "id"])]
    if len(again):
        row, path = again.iloc[0], paths[again.index[0][0]]
        raise InputError(f"{path}: id '{row['id']}' stands twice at step {row['step']}")
    return losses.reset_index(drop=True), left_out


def mean_curve(losses: pd.DataFrame, weighting: str) -> "pd.Series[float]":
    """Return the mean loss of one run at each step.

    Parameters
    ----------
    losses
        The run's rows.
    weighting
        `instance`: mean over instances of their mean token loss; `token`: over label tokens.
    """
    weights = losses["label_tokens"] if weighting == "token" else pd.Series(1.0, losses.index)
    frame = pd.DataFrame(
        {"step": losses["step"], "sum": losses["loss"].astype(float) * weights, "weight": weights}
    )
    sums = frame.groupby("step").sum()
    return sums["sum"] / sums["weight"]


def mean_interval(values: npt.NDArray[np.float64], confidence: float) -> tuple[float, float, float]:
    """Return the mean of n independent values and its Student interval (NaN bounds for n = 1)."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    reach = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return mean, mean - float(reach), mean + float(reach)


def curves(runs: Runs, weighting: str, confidence: float) -> pd.DataFrame:
    """Return the mean curve of each arrangement with an interval over its seeds.

    Returns
    -------
    Columns arrangement, step, mean, low, high, n (seeds), instances, confidence.

    Raises
    ------
    InputError
        If the runs were not evaluated at the same steps on the same instances.
    """
    check_comparable(runs)
    rows = []
    for label in dict.fromkeys(label for label, _ in runs):
        each = pd.concat(
            [mean_curve(run, weighting) for (name, _), run in runs.items() if name == label],
            axis=1,
        )
        for step, values in each.iterrows():
            mean, low, high = mean_interval(values.to_numpy(), confidence)
            rows.append((label, step, mean, low, high, len(values)))
    table = pd.DataFrame(rows, columns=["arrangement", "step", "mean", "low", "high", "n"])
    table["instances"] = next(iter(runs.values()))["id"].nunique()
    table["confidence"] = confidence
    return table


def check_comparable(runs: Runs) -> None:
    """Raise InputError unless all runs hold the same (step, id) pairs."""
    expected: set[tuple[int, str]] | None = None
    first = next(iter(runs), None)
    for key, run in runs.items():
        pairs = set(zip(run["step"], run["id"], strict=True))
        if expected is None:
            expected = pairs
        elif pairs != expected:
            step, id_ = min(pairs ^ expected)
            raise InputError(
                f"runs {first} and {key} cannot be compared: only one has id '{id_}' at step {step}"
            )


def paired_comparison(
    runs: Runs, reference: str, confidence: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Compare one arrangement with each other one, paired by seed and test instance.

    The difference of a pair is the reference's loss minus the other's: negative means that the
    reference is better. It is taken at the first checkpoint after step 0, at the last one, and
    as a mean over all of them. Its interval is a bootstrap over seeds and over instances at once;
    the p-value is Wilcoxon's signed-rank test over instances, each averaged over seeds.

    Returns
    -------
    Columns comparison, steps, difference, low, high, p_value, instances_lower and seeds_lower
    (shares in which the reference is lower), seeds, instances.
    """
    check_comparable(runs)
    by_label = {name: sorted(s for label, s in runs if label == name) for name, _ in runs}
    if reference not in by_label or len(by_label) < 2:
        raise InputError(
            f"reference {reference!r}: expected one of two or more labels, "
            f"found {', '.join(by_label)}"
        )
    seeds = by_label[reference]
    for name, its in by_label.items():
        if its != seeds:
            raise InputError(f"{name} has seeds {its}, but {reference} {seeds}: no pairs")
    steps = sorted(step for step in runs[reference, seeds[0]]["step"].unique() if step > 0)
    if not steps:
        raise InputError("a comparison needs a checkpoint after step 0")
    ours = _cube(runs, reference, seeds)
    rows = []
    for other in (label for label in by_label if label != reference):
        difference = ours - _cube(runs, other, seeds)  # (seeds, steps, instances)
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


def _cube(runs: Runs, label: str, seeds: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the (seeds, steps after 0, instances) losses of an arrangement."""
    return np.stack(
        [
            runs[label, seed][runs[label, seed]["step"] > 0]
            .pivot(index="step", columns="id", values="loss")
            .to_numpy(dtype=np.float64)
            for seed in seeds
        ]
    )


def _bootstrap(
    difference: npt.NDArray[np.float64], confidence: float, resamples: int, seed: int
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
