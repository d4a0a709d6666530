"""The findings of a paired comparison in a few sentences."""

from collections.abc import Collection, Mapping
from typing import Any, cast

import pandas as pd

from nearfirst.common.text import counted, span
from nearfirst.figures.comparison import CHECKPOINT, END, RUN
from nearfirst.figures.figure import listed
from nearfirst.metrics import METRICS, MetricName

MIN_SEEDS = 5
"""With fewer seeds, the variance over seeds is poorly known (`inference.estimates`)."""
NONE = "no difference is detected"
SAME = "cannot differ, because every step of the two runs holds the same instances"
SAMPLED = {
    "task": "other tasks",
    "conversation": "other conversations",
    "instance": "other instances of the same tasks",
}


def summary(
    table: pd.DataFrame,
    figure: Any,
    runs: Mapping[str, int],
    rounds: Collection[int] = (),
) -> str:
    """Return one paragraph on where a figure's reference differs from its other arrangements.

    A difference is reported only where its p-value is at most one minus the confidence and its
    interval excludes zero, so that no sentence contradicts its numbers.

    `runs` holds the number of runs of each arrangement in the order of the figure, and `rounds` the
    numbers of rounds of TMA in the pools, where known.
    """
    row = table.iloc[0]
    metric = METRICS[cast(MetricName, row["metric"])]
    return " ".join(
        [
            f"Mean {metric.name} of {figure.reference} minus that of {listed(figure.others())}"
            f"{f'; {metric.better} is better' * bool(metric.better)}.",
            *(
                verdict(table[table["comparison"] == contrast.name], contrast.words)
                for contrast in figure.contrasts()
            ),
            f"Square brackets are {100 * row['confidence']:g}% intervals; they and the tests, at "
            f"level {1 - row['confidence']:.2g}, generalize to {SAMPLED[row['units']]}. The mean "
            "over the run is the primary test. Each p-value is corrected for all comparisons, and "
            f"those of checkpoints for all checkpoints. Test set: "
            f"{counted(row['instances'], 'instance')} of {counted(row['tasks'], 'task')}.",
            *_describe_units(row),
            f"Last step: {str(row['steps']).rpartition('-')[2]}.",
            *([f"Rounds of TMA in the pool: {span(rounds)}."] if rounds else []),
            _describe_seeds(runs),
            "Where no difference is detected, there may still be one.",
        ]
    )


def verdict(rows: pd.DataFrame, opening: str) -> str:
    """Return the sentence on one comparison: over the run, at its end and at checkpoints."""
    if rows.iloc[0].get("identical", 0):
        return f"{opening}: {SAME}."
    questions = {str(name): part for name, part in rows.groupby("question")}
    parts = [finding(questions[name].iloc[0]) for name in (RUN, END)]
    checkpoints = questions[CHECKPOINT]
    directions = checkpoints.apply(direction, axis=1)
    detected = []
    for word in ("lower", "higher"):
        steps = checkpoints.loc[directions == word, "steps"].tolist()
        if steps:
            which = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]} to {steps[-1]}"
            detected.append(f"{word} at {len(steps)} ({which})")
    parts.append(" and ".join(detected) or f"{NONE} at any")
    return f"{opening}: {'; '.join(parts)} of {counted(len(directions), 'checkpoint')}."


def finding(row: "pd.Series[Any]") -> str:
    """Return the result of a `run` or `end` row in words, with its numbers."""
    if row.get("identical", 0):
        return SAME
    where = "over the run" if row["question"] == RUN else "at its end"
    return f"{direction(row)} {where}, {numbers(row)}"


def numbers(row: "pd.Series[Any]") -> str:
    """Return the difference in a row with its interval and its p-value."""
    return "{:.3g} [{:.3g}, {:.3g}], p = {:.2g}".format(
        *row[["difference", "low", "high", "p_value"]]
    )


def direction(row: "pd.Series[Any]") -> str:
    """Return `lower`, `higher`, or that no difference is detected."""
    if row["p_value"] > 1 - row["confidence"] or row["low"] <= 0 <= row["high"]:
        return NONE
    return "lower" if row["high"] < 0 else "higher"


def _describe_units(row: "pd.Series[Any]") -> list[str]:
    """Return a sentence if the units are too few for any difference to be detected."""
    units = int(row["tasks"] if row["units"] == "task" else row["instances"])
    smallest = 2.0 ** (1 - units)  # one flip of signs in all of them (`inference.max_t`)
    if smallest <= 1 - row["confidence"]:
        return []
    unit = counted(units, str(row["units"]))
    return [f"With {unit} no p-value is below {smallest:.2g}, so no difference can be detected."]


def _describe_seeds(runs: Mapping[str, int]) -> str:
    """Return how many runs stand behind a comparison."""
    seeds = max(runs.values())
    if seeds == 1:
        return "Each arrangement has one run; other seeds may give other findings."
    single = [label for label, count in runs.items() if count == 1]
    paired = f" One run, paired with every seed of the others: {listed(single)}." if single else ""
    few = ", too few to know how much seeds vary" if seeds < MIN_SEEDS else ""
    return f"{seeds} seeds{few}.{paired}"
