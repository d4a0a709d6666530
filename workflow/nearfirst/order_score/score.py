"""How well a measure of similarity predicts which order gives a task the lower loss."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.distance.distances import whole
from nearfirst.distance.side import Side
from nearfirst.distance.similarity import WHOLE, groups_of

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

OPERATIONS = {"min": np.minimum, "max": np.maximum, "avg": np.add}


class Bootstrap(NamedTuple):
    """Level and resamples of the intervals, and the seed of all that is drawn."""

    confidence: float
    resamples: int
    seed: int


def task_distances(measure: str, train: Side, rows: Integers, test: Side) -> Floats:
    """Return the distance of n training instances, the `rows`, to each of G tasks: (n, G)."""
    kind, operation = measure.split("-")
    groups = groups_of(test.tasks)
    del groups[WHOLE]
    points = train.embeddings[rows]
    if operation == "centroid":
        centres = np.stack([test.embeddings[its].mean(axis=0) for its in groups.values()])
        return whole(kind, points, centres).astype(np.float64)
    columns = np.concatenate(list(groups.values()))
    sizes = np.array([len(its) for its in groups.values()])
    distances = whole(kind, points, test.embeddings)[:, columns].astype(np.float64)
    found = OPERATIONS[operation].reduceat(distances, np.cumsum(sizes) - sizes, axis=1)
    return np.asarray(found / sizes if operation == "avg" else found)


def weights(rates: Sequence[float], at: int, tau: float) -> Floats:
    """Return the (at,) weights of the steps 1 to `at` for a loss after the last of them.

    Step s has w(s) = rate(s) · exp(−(at − s) / τ): what it may change, as far as that is not yet
    forgotten. They sum to one.
    """
    since = np.arange(at - 1, -1, -1)
    found = np.array(rates[:at]) * np.exp(-since / tau)
    return np.asarray(found / found.sum())


def taus(steps: int) -> Floats:
    """Return the values of τ that are tried, in steps: 1, 2, 4 … past `steps`, and infinity."""
    return np.array([*2.0 ** np.arange(np.ceil(np.log2(steps)) + 2), np.inf])


def correlations(predicted: Floats, losses: Floats) -> Floats:
    """Return Spearman's correlation of two (O, G) over the O orders, (G,); NaN of equal values."""
    return np.asarray(np.einsum("og,og->g", _standard(predicted), _standard(losses)))


def reliability(losses: Floats) -> float:
    """Return Cronbach's α of the loss of a task, from the (O, k) losses of its k instances.

    It is the mean of all split-half reliabilities, each corrected to the full length: how well the
    effect of order on these k instances stands for that on others of the task. NaN for fewer than
    two, or if no order changes a loss.
    """
    count = losses.shape[1]
    total = losses.sum(axis=1).var(ddof=1)
    if count < 2 or not total:
        return float("nan")
    return float(count / (count - 1) * (1 - losses.var(axis=0, ddof=1).sum() / total))


def p_value(predicted: Floats, losses: Floats, resamples: int, seed: int) -> float:
    """Return how often orders that are shuffled against their losses have as high a mean.

    All tasks share the orders, and are shuffled together. Parameters as of `correlations`.
    """
    ours, theirs = _standard(predicted), _standard(losses)
    known = np.isfinite(ours[0] * theirs[0])
    if not known.any():
        return float("nan")
    ours, theirs = ours[:, known], theirs[:, known]
    generator = np.random.default_rng(seed)
    shuffled = [(generator.permutation(ours) * theirs).sum() for _ in range(resamples)]
    # What is equal but for rounding counts as high.
    higher = np.sum(np.array(shuffled) >= (ours * theirs).sum() - 1e-9)
    return float((1 + higher) / (1 + resamples))


def score(
    losses: Mapping[int, Floats],
    reliabilities: Mapping[int, Floats],
    by_step: Mapping[tuple[str, str], Floats],
    rates: Sequence[float],
    bootstrap: Bootstrap,
) -> pd.DataFrame:
    """Return the table of the figure.

    τ is the one of `taus` with the highest mean correlation over the orders of even number, and the
    orders of odd number judge it. Above zero, orders with what is near where it weighs most have
    the lower losses. Intervals are percentiles of a bootstrap over tasks.

    Parameters
    ----------
    losses
        (O, G) mean losses of G tasks after O orders, by step.
    reliabilities
        (G,) by step.
    by_step
        (O, S, G) mean distances of the instances of each step to each task, by representation and
        measure.
    rates
        (S,) learning rates.
    bootstrap
        Of intervals and p-values.
    """
    rows = []
    for step, loss in losses.items():
        common = {
            **_interval("reliability", reliabilities[step], bootstrap),
            # How much order matters: standard deviation over orders, in nats.
            "spread": float(loss.std(axis=0, ddof=1).mean()),
            "n": loss.shape[1],
            "orders": len(loss[1::2]),
            "confidence": bootstrap.confidence,
        }
        for (representation, measure), distances in by_step.items():
            predicted = {
                tau: np.einsum("s,osg->og", weights(rates, step, tau), distances[:, :step])
                for tau in taus(step)
            }
            fitted = {
                tau: _mean(correlations(its[::2], loss[::2])) for tau, its in predicted.items()
            }
            tau = max(fitted, key=lambda tau: np.nan_to_num(fitted[tau], nan=-2.0))
            judged = predicted[tau][1::2], loss[1::2]
            found = correlations(*judged)
            rows.append(
                {
                    "representation": representation,
                    "measure": measure,
                    "step": step,
                    "tau": tau,
                    "fitted": fitted[tau],
                    **_interval("mean", found, bootstrap),
                    "p_value": p_value(*judged, bootstrap.resamples, bootstrap.seed),
                    **common,
                }
            )
    return pd.DataFrame(rows).rename(columns={"mean_low": "low", "mean_high": "high"})


def _standard(values: Floats) -> Floats:
    """Return the ranks of each column, (O, G), centred and of length one; NaN if all are equal."""
    ranks = stats.rankdata(values, axis=0) - (len(values) + 1) / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(ranks / np.sqrt((ranks**2).sum(axis=0)))


def _mean(values: Floats) -> float:
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else np.nan


def _interval(name: str, values: Floats, bootstrap: Bootstrap) -> dict[str, float]:
    """Return the mean of tasks' values that are finite, and its interval."""
    some = values[np.isfinite(values)]
    low = high = np.nan
    if len(some) > 1:
        its = stats.bootstrap(
            (some,),
            np.mean,
            n_resamples=bootstrap.resamples,
            confidence_level=bootstrap.confidence,
            method="percentile",
            rng=np.random.default_rng(bootstrap.seed),
        ).confidence_interval
        low, high = float(its.low), float(its.high)
    return {name: _mean(values), f"{name}_low": low, f"{name}_high": high}
