"""Curves of the same orders under several conditions, and how their learning rates vary."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nearfirst.figures.curves import curves
from nearfirst.figures.run import Runs, check_instances
from nearfirst.metrics import MetricName
from nearfirst.train.rates import rates
from nearfirst.train.settings import TrainSettings


def condition_curves(
    conditions: Mapping[str, Runs],
    training: Mapping[str, TrainSettings],
    weighting: str,
    confidence: float,
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the curves of `curves.curves` under each condition.

    `conditions` and `training` hold the runs and their training settings by condition. Further
    columns are panel (the condition), schedule, rate_sum (of the learning rates of a run) and
    first_share and last_share (of that sum, in the first and last fifth of the steps). Raises
    InputError like `curves`, and if conditions differ in their test instances.
    """
    check_instances(
        {(f"{k} ({c})", s): run for c, runs in conditions.items() for (k, s), run in runs.items()}
    )
    parts = []
    for condition, runs in conditions.items():
        table = curves(runs, weighting, confidence, metric=metric)
        by_step = rates(training[condition], int(table["step"].max()))
        # Between two steps the sum is interpolated linearly.
        marks = np.array([0.2, 0.8, 1]) * len(by_step)
        cumulative = np.cumsum([0, *by_step])
        first, but_last, total = np.interp(marks, range(len(cumulative)), cumulative)
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
