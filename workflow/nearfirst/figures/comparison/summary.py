"""The findings of a paired comparison in a few sentences."""

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from nearfirst.metrics import METRICS, MetricName

FEW = 5
"""With fewer seeds their variance is poorly known (`crossed_p_values`)."""


def summary(table: pd.DataFrame, reference: str, runs: Mapping[str, int]) -> str:
    """Return one paragraph on where the reference differs from each other arrangement.

    A difference is reported only where its corrected p-value (`p_adjusted`) is at most one minus
    the confidence and its interval excludes zero, so that no sentence contradicts its numbers.

    Parameters
    ----------
    runs
        How many runs each arrangement has, in the order of the figure.
    """
    others = [label for label in runs if label != reference]
    row = table.iloc[0]
    metric = METRICS[cast(MetricName, row["metric"])]
    generalize = "tasks" if row["units"] == "task" else "instances of the same tasks"
    better = "lower" if metric.stage == "losses" else "higher"
    return " ".join(
        [
            f"Mean {metric.name} of {reference} minus that of {_joined(others)}; {better} is "
            "better.",
            *(
                verdict(table[table["comparison"] == f"{reference}-{name}"], name)
                for name in others
            ),
            f"Square brackets are {100 * row['confidence']:g}% bootstrap intervals. Tests are at "
            f"level {1 - row['confidence']:.2g}, corrected by Holm's method for "
            f"{_count(len(table), 'test')}, and generalize to other {generalize}. Test set: "
            f"{_count(row['instances'], 'instance')} of {_count(row['tasks'], 'task')}.",
            _seeds(runs),
            "Where no difference is detected, there may still be one.",
        ]
    )


def verdict(rows: pd.DataFrame, other: str) -> str:
    """Return the sentence on one comparison, from its checkpoints and the mean over them."""
    detected = rows["p_adjusted"] <= 1 - rows["confidence"]
    at_steps = rows["steps"].str.isdecimal()
    count = int(at_steps.sum())
    parts = []
    for word, side in (("lower", rows["high"] < 0), ("higher", rows["low"] > 0)):
        steps = rows.loc[detected & side & at_steps, "steps"].tolist()
        if steps:
            span = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]} to {steps[-1]}"
            parts.append(f"{word} at {len(steps)} of {_count(count, 'checkpoint')} ({span})")
    where = (
        " and ".join(parts) or f"no difference is detected at any of {_count(count, 'checkpoint')}"
    )
    last = rows.iloc[-1]
    difference = "{:.3g} [{:.3g}, {:.3g}]".format(*last[["difference", "low", "high"]])
    over = "mean over checkpoints" if count > 1 else "difference"
    return f"Against {other}: {where}; {over} {difference}."


def _seeds(runs: Mapping[str, int]) -> str:
    """Return what is to be known about the runs behind a comparison."""
    most = max(runs.values())
    if most == 1:
        return "Each arrangement has one run; other seeds may give other findings."
    single = [label for label, count in runs.items() if count == 1]
    paired = f" One run, paired with every seed of the others: {_joined(single)}." if single else ""
    few = ", too few to know how much seeds vary" if most < FEW else ""
    return f"{most} seeds{few}.{paired}"


def _joined(names: Sequence[str]) -> str:
    """Return names as a list in words."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
