"""How well a similarity measure predicts which order gives a task the lower loss."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.common.by_task import rows_by_task
from nearfirst.distance.distances import distance_matrix
from nearfirst.distance.side import Side
from nearfirst.distance.similarity import OPERATIONS

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Bootstrap(NamedTuple):
    """Level and resamples of the intervals, and the seed of all random draws."""

    confidence: float
    resamples: int
    seed: int


def task_distances(measure: str, train: Side, rows: Integers, test: Side) -> Floats:
    """Return the (n, G) distances of the n training instances in `rows` to each of G tasks."""
    kind, operation = measure.split("-")
    groups = rows_by_task(test.tasks)
    points = train.embeddings[rows]
    if operation == "centroid":
        centres = np.stack([test.embeddings[group].mean(axis=0) for group in groups.values()])
        return distance_matrix(kind, points, centres).astype(np.float64)
    columns = np.concatenate(list(groups.values()))
    sizes = np.array([len(group) for group in groups.values()])
    distances = distance_matrix(kind, points, test.embeddings)[:, columns].astype(np.float64)
    result = OPERATIONS[operation].reduceat(distances, np.cumsum(sizes) - sizes, axis=1)
    return np.asarray(result / sizes if operation == "avg" else result)


def weights(rates: Sequence[float], last: int, tau: float) -> Floats:
    """Return the (last,) weights of the steps 1 to `last` for a loss after the last of them.

    w(s) ∝ rate(s) · exp(−(last − s) / τ): how much step s can change, less what is forgotten since.
    They sum to one.
    """
    steps_since = np.arange(last - 1, -1, -1)
    unscaled = np.array(rates[:last]) * np.exp(-steps_since / tau)
    return np.asarray(unscaled / unscaled.sum())


def taus(steps: int) -> Floats:
    """Return the values of τ to try, in steps: 1, 2, 4 … past `steps`, and infinity."""
    return np.array([*2.0 ** np.arange(np.ceil(np.log2(steps)) + 2), np.inf])


def correlations(predicted: Floats, losses: Floats) -> Floats:
    """Return the (G,) Spearman correlations of two (O, G) over O orders; NaN for equal values."""
    return np.asarray(
        np.einsum("og,og->g", _standardized_ranks(predicted), _standardized_ranks(losses))
    )


def reliability(losses: Floats) -> float:
    """Return Cronbach's α of the loss of a task, from the (O, k) losses of its k instances.

    It is the mean of all split-half reliabilities, each corrected to the full length: how well the
    effect of order on these k instances generalizes to others of the task. NaN for fewer than two
    instances, or if the loss does not depend on the order.
    """
    count = losses.shape[1]
    total = losses.sum(axis=1).var(ddof=1)
    if count < 2 or not total:
        return float("nan")
    return float(count / (count - 1) * (1 - losses.var(axis=0, ddof=1).sum() / total))


def p_value(predicted: Floats, losses: Floats, resamples: int, seed: int) -> float:
    """Return the one-sided p-value of the mean of `correlations`, by permuting the orders.

    All tasks share the orders, and are shuffled together.
    """
    predicted, losses = _standardized_ranks(predicted), _standardized_ranks(losses)
    is_defined = np.isfinite(predicted[0] * losses[0])
    if not is_defined.any():
        return float("nan")
    predicted, losses = predicted[:, is_defined], losses[:, is_defined]
    generator = np.random.default_rng(seed)
    shuffled = [(generator.permutation(predicted) * losses).sum() for _ in range(resamples)]
    # Sums that are equal up to rounding count as high.
    n_high = np.sum(np.array(shuffled) >= (predicted * losses).sum() - 1e-9)
    return float((1 + n_high) / (1 + resamples))


def score(
    losses: Mapping[int, Floats],
    reliabilities: Mapping[int, Floats],
    by_step: Mapping[tuple[str, str], Floats],
    rates: Sequence[float],
    bootstrap: Bootstrap,
) -> pd.DataFrame:
    """Return the table of the figure.

    τ is the value of `taus` with the highest mean correlation over the even-numbered orders; the
    odd-numbered ones judge it. A positive correlation means that the loss is lower if near data
    come where they weigh most. Intervals are percentiles of a bootstrap over tasks.

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
    """
    rows = []
    for step, loss in losses.items():
        common = {
            **_interval("reliability", reliabilities[step], bootstrap),
            # How much the order matters: standard deviation over orders, in nats.
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
                tau: _finite_mean(correlations(values[::2], loss[::2]))
                for tau, values in predicted.items()
            }
            tau = max(fitted, key=lambda tau: np.nan_to_num(fitted[tau], nan=-2.0))
            held_out = predicted[tau][1::2], loss[1::2]
            rows.append(
                {
                    "representation": representation,
                    "measure": measure,
                    "step": step,
                    "tau": tau,
                    "fitted": fitted[tau],
                    **_interval("mean", correlations(*held_out), bootstrap),
                    "p_value": p_value(*held_out, bootstrap.resamples, bootstrap.seed),
                    **common,
                }
            )
    return pd.DataFrame(rows).rename(columns={"mean_low": "low", "mean_high": "high"})


def _standardized_ranks(values: Floats) -> Floats:
    """Return the ranks of each column, (O, G), centred and of length one; NaN if all are equal."""
    ranks = stats.rankdata(values, axis=0) - (len(values) + 1) / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(ranks / np.sqrt((ranks**2).sum(axis=0)))


def _finite_mean(values: Floats) -> float:
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else np.nan


def _interval(name: str, values: Floats, bootstrap: Bootstrap) -> dict[str, float]:
    """Return the mean of the finite values over tasks, and its interval."""
    finite = values[np.isfinite(values)]
    low = high = np.nan
    if len(finite) > 1:
        low, high = stats.bootstrap(
            (finite,),
            np.mean,
            n_resamples=bootstrap.resamples,
            confidence_level=bootstrap.confidence,
            method="percentile",
            rng=np.random.default_rng(bootstrap.seed),
        ).confidence_interval
    return {name: _finite_mean(values), f"{name}_low": float(low), f"{name}_high": float(high)}
