"""Curves of the same orders under several conditions, and how their learning rates are spread."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nearfirst.figures.curves import curves
from nearfirst.figures.run import Runs, check_instances
from nearfirst.metrics import MetricName
from nearfirst.train.rates import rates
from nearfirst.train.settings import TrainSettings

FIRST = 0.2
"""Part of a run whose share of the summed learning rate is told."""


def condition_curves(
    conditions: Mapping[str, Runs],
    training: Mapping[str, TrainSettings],
    weighting: str,
    confidence: float,
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the curves of `curves.curves` under each condition.

    Parameters
    ----------
    conditions
        Of each condition its runs, by label and seed.
    training
        Of each condition the training of its runs.

    Returns
    -------
    The columns of `curves`, and panel (the condition), schedule, rate_sum (of the learning rates of
    a run) and first_share and last_share (of that sum, in the first and last fifth of its steps).

    Raises
    ------
    InputError
        As `curves`, and if conditions differ in their test instances.
    """
    check_instances(
        {(f"{k} ({c})", s): r for c, its in conditions.items() for (k, s), r in its.items()}
    )
    parts = []
    for condition, runs in conditions.items():
        table = curves(runs, weighting, confidence, metric=metric)
        doses = rates(training[condition], int(table["step"].max()))
        # Between two steps the sum rises in a straight line.
        marks = np.array([FIRST, 1 - FIRST, 1]) * len(doses)
        first, but_last, total = np.interp(marks, range(len(doses) + 1), np.cumsum([0, *doses]))
        parts.append(
            table.assign(
                panel=condition,
                schedule=training[condition].schedule,
                rate_sum=total,
                first_share=first / total,
                last_share=1 - but_last / total,
            )
        )
    return pd.concat(parts, ignore_index=True)
