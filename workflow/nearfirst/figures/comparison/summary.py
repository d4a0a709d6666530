"""The findings of a paired comparison in a few sentences."""

from collections.abc import Mapping, Sequence
from typing import cast

import pandas as pd

from nearfirst.figures.comparison.inference import CHECKPOINT, END, RUN
from nearfirst.metrics import METRICS, MetricName

FEW = 5
"""With fewer seeds their variance is poorly known (`inference.estimates`)."""
SAMPLED = {
    "task": "other tasks",
    "conversation": "other conversations",
    "instance": "other instances of the same tasks",
}


def summary(table: pd.DataFrame, reference: str, runs: Mapping[str, int]) -> str:
    """Return one paragraph on where the reference differs from each other arrangement.

    A difference is reported only where its p-value is at most one minus the confidence and its
    interval excludes zero, so that no sentence contradicts its numbers.

    Parameters
    ----------
    runs
        How many runs each arrangement has, in the order of the figure.
    """
    others = [label for label in runs if label != reference]
    row = table.iloc[0]
    metric = METRICS[cast(MetricName, row["metric"])]
    better = "lower" if metric.stage == "losses" else "higher"
    return " ".join(
        [
            f"Mean {metric.name} of {reference} minus that of {_joined(others)}; {better} is "
            "better.",
            *(
                verdict(table[table["comparison"] == f"{reference}-{name}"], name)
                for name in others
            ),
            f"Square brackets are {100 * row['confidence']:g}% intervals; they and the tests, at "
            f"level {1 - row['confidence']:.2g}, generalize to {SAMPLED[row['units']]}. The mean "
            "over the run is the primary test. Each p-value is corrected for all comparisons, and "
            f"those of checkpoints for all checkpoints. Test set: "
            f"{_count(row['instances'], 'instance')} of {_count(row['tasks'], 'task')}.",
            _seeds(runs),
            "Where no difference is detected, there may still be one.",
        ]
    )


def verdict(rows: pd.DataFrame, other: str) -> str:
    """Return the sentence on one comparison: over its run, at its end and at checkpoints."""
    detected = rows["p_value"] <= 1 - rows["confidence"]
    lower, higher = detected & (rows["high"] < 0), detected & (rows["low"] > 0)
    parts = []
    for question, where in ((RUN, "over the run"), (END, "at its end")):
        (at,) = rows.index[rows["question"] == question]
        finding = "lower" if lower[at] else "higher" if higher[at] else "no difference is detected"
        numbers = "{:.3g} [{:.3g}, {:.3g}], p = {:.2g}".format(
            *rows.loc[at, ["difference", "low", "high", "p_value"]]
        )
        parts.append(f"{finding} {where}, {numbers}")
    at_steps = rows["question"] == CHECKPOINT
    found = []
    for word, side in (("lower", lower), ("higher", higher)):
        steps = rows.loc[side & at_steps, "steps"].tolist()
        if steps:
            span = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]} to {steps[-1]}"
            found.append(f"{word} at {len(steps)} ({span})")
    some = " and ".join(found) or "no difference is detected at any"
    parts.append(f"{some} of {_count(at_steps.sum(), 'checkpoint')}")
    return f"Against {other}: {'; '.join(parts)}."


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
