"""Curves of the same orders under several conditions, and how their learning rates vary."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import curves
from nearfirst.figures.read import runs_of
from nearfirst.figures.run import Runs, by_label, check_instances
from nearfirst.figures.settings import CurveSettings
from nearfirst.metrics import MetricName
from nearfirst.train.rates import rates
from nearfirst.train.settings import TrainSettings


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the curves of a figure of kind `interaction` (`Figure.compute`)."""
    if missing := figure.conditions.keys() - settings.training.keys():
        raise InputError(f"--training: the settings of condition {min(missing)!r} are missing")
    runs, metric = runs_of(figure, tables, figure.metric), figure.metric
    conditions = {
        condition: {label: figure.label_of(condition, label) for label in curves}
        for condition, curves in figure.conditions.items()
    }
    training = {name: TrainSettings(**row) for name, row in settings.training.items()}
    return [condition_curves(runs, conditions, training, settings.curves, metric)]


def condition_curves(
    runs: Runs,
    conditions: Mapping[str, Mapping[str, str]],
    training: Mapping[str, TrainSettings],
    settings: CurveSettings,
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the curves of `curves.curves` under each condition.

    `conditions` names the label of the runs of each curve, by condition and by the curve's label in
    the table; `training` holds the settings of each condition's runs. Further columns are panel
    (the condition), schedule, rate_sum (of the learning rates of a run) and first_share and
    last_share (of that sum, in the first and last fifth of the steps). Raises InputError like
    `curves`, and if conditions differ in their test instances.
    """
    check_instances(runs)
    by_run = by_label(runs)
    parts = []
    for condition, labels in conditions.items():
        shown = {(k, s): run for k, name in labels.items() for s, run in by_run[name].items()}
        table = curves(shown, settings, metric=metric)
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
