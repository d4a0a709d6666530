"""What a paired comparison found, in plain words."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import floor, log10
from typing import NamedTuple, cast

import pandas as pd

from nearfirst.metrics import METRICS, MetricName

LISTED = 4
"""Most stretches of checkpoints that are told one by one."""

FEW = 5
"""With fewer seeds their variance is known badly (`crossed_p_values`)."""

MEAN = "mean difference "
_WHERE = {-1: "below", 1: "above"}


class _Stretch(NamedTuple):
    """Neighbouring checkpoints with a difference of one sign."""

    sign: int
    rows: pd.DataFrame


def summary(table: pd.DataFrame, reference: str, runs: Mapping[str, int]) -> str:
    """Return one paragraph on where the reference differs from each other arrangement.

    A difference is only spoken of where its corrected p-value (`p_adjusted`) is at most one minus
    the confidence and where its interval leaves out zero, so that no sentence gainsays the numbers
    in it. Where none is detected, nothing is said about whether there is one.

    Parameters
    ----------
    table
        As `paired_comparison` returns it.
    reference
        The arrangement that stands first in its comparisons.
    runs
        How many runs each arrangement has, in the order of the figure.
    """
    others = [label for label in runs if label != reference]
    parts = {label: table[table["comparison"] == f"{reference}-{label}"] for label in others}
    at_steps = {label: part[part["steps"].str.isdecimal()] for label, part in parts.items()}
    steps = at_steps[others[0]]["steps"].tolist()
    metric = METRICS[cast(MetricName, table["metric"].iloc[0])]
    better = "lower" if metric.stage == "losses" else "higher"
    verdicts = [
        _verdict(reference, label, at_steps[label], parts[label].drop(at_steps[label].index))
        for label in others
    ]
    return " ".join(
        [
            f"Mean {metric.name} of {reference} against {_joined(others)} at "
            f"{_checkpoints(steps)}; {better} is better.",
            *verdicts,
            _method(table, reference),
            *_runs(table, runs),
            "Where no difference is detected, there may be one all the same.",
        ]
    )


def _verdict(reference: str, other: str, rows: pd.DataFrame, mean: pd.DataFrame) -> str:
    """Return the sentence on one comparison, from its checkpoints and the mean over them."""
    found = _found(rows)
    stretches = list(_stretches(rows, found))
    if not stretches:
        return _none(reference, other, rows, mean)
    if len(stretches) > LISTED:
        told = _counted(found, rows, other)
    elif len(stretches[0].rows) == len(rows) > 1:
        told = [f"{_WHERE[found[0]]} {other} at every checkpoint{_numbers(rows, MEAN)}"]
    else:
        told = list(_told(stretches, other))
    return f"{reference} is {_joined(told)}{_rest(found)}."


def _none(reference: str, other: str, rows: pd.DataFrame, mean: pd.DataFrame) -> str:
    """Return what is said of a comparison without a difference at any checkpoint."""
    start = f"No difference between {reference} and {other} is detected"
    if len(rows) == 1:
        return f"{start}."
    if sign := _found(mean)[0]:
        numbers = _numbers(mean, MEAN)
        return (
            f"{start} at any one checkpoint, but on average over them {reference} is "
            f"{_WHERE[sign]} {other}{numbers}."
        )
    return f"{start} at any checkpoint."


def _found(rows: pd.DataFrame) -> list[int]:
    """Return the sign of each difference that is detected, else 0."""
    detected = rows["p_adjusted"] <= 1 - rows["confidence"]
    below, above = detected & (rows["high"] < 0), detected & (rows["low"] > 0)
    return [int(up) - int(down) for up, down in zip(above, below, strict=True)]


def _stretches(rows: pd.DataFrame, found: Sequence[int]) -> Iterator[_Stretch]:
    for sign, members in groupby(range(len(rows)), key=lambda at: found[at]):
        if sign:
            yield _Stretch(sign, rows.iloc[list(members)])


def _told(stretches: Sequence[_Stretch], other: str) -> Iterator[str]:
    """Give each stretch in words, the sign only where it is another than before."""
    before = 0
    for sign, rows in stretches:
        word = "" if sign == before else f"{_WHERE[sign]} {'it' if before else other} "
        first, last = rows["steps"].iloc[0], rows["steps"].iloc[-1]
        span = f"at step {first}" if len(rows) == 1 else f"from step {first} to {last}"
        yield f"{word}{span}{_numbers(rows, '' if before else MEAN)}"
        before = sign


def _counted(found: Sequence[int], rows: pd.DataFrame, other: str) -> list[str]:
    """Return what is said of many stretches: how many checkpoints, the first and the last."""
    told: list[str] = []
    for sign in dict.fromkeys(sign for sign in found if sign):
        its = rows[[this == sign for this in found]]
        what = "it" if told else other
        numbers = _numbers(its, "" if told else MEAN, at_step=True)
        told.append(f"{_WHERE[sign]} {what} at {len(its)} of {len(rows)} checkpoints{numbers}")
    return told


def _rest(found: Sequence[int]) -> str:
    """Return what is said of the checkpoints without a difference."""
    there = [at for at, sign in enumerate(found) if sign]
    missing = [at for at, sign in enumerate(found) if not sign]
    if not missing:
        return ""
    where = "at the other checkpoints"
    if missing[0] > there[-1]:
        where = "after that"
    elif missing[-1] < there[0]:
        where = "before that"
    return f"; {where} no difference is detected"


def _numbers(rows: pd.DataFrame, name: str, *, at_step: bool = False) -> str:
    """Return the differences of the first and last row with their intervals, in brackets."""
    ends = rows.iloc[[0, -1] if len(rows) > 1 else [0]]
    told = [
        _rounded(row["difference"], row["low"], row["high"])
        + (f" at step {row['steps']}" if at_step or len(ends) > 1 else "")
        for _, row in ends.iterrows()
    ]
    return f" ({name}{', '.join(told)})"


def _rounded(difference: float, low: float, high: float) -> str:
    """Return two digits of the difference, or more so that no bound is rounded to zero."""
    digits = 0
    if difference:
        least = min(abs(bound) for bound in (low, high, difference) if bound)
        digits = max(1 - floor(log10(abs(difference))), -floor(log10(least)), 0)
    return f"{difference:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _checkpoints(steps: Sequence[str]) -> str:
    if len(steps) == 1:
        return f"step {steps[0]}, the only checkpoint after the start that all have"
    return f"the {len(steps)} checkpoints that all have, steps {steps[0]} to {steps[-1]}"


def _method(table: pd.DataFrame, reference: str) -> str:
    """Return what the numbers in brackets are, and how the tests are corrected."""
    row = table.iloc[0]
    others, instances = "instances of the same tasks", f"{row['instances']} test instances"
    if row["units"] == "task":
        others, instances = "tasks", f"{instances} in {row['tasks']} tasks"
    over = f"seeds and {row['units']}s" if table["seeds"].max() > 1 else f"{row['units']}s"
    corrected = f", corrected for {len(table)} comparisons by Holm's method"
    level = f"{1 - row['confidence']:.2g}{corrected if len(table) > 1 else ''}"
    intervals = f"{100 * row['confidence']:g}% bootstrap intervals, each for itself"
    return (
        f"Differences are {reference} minus the other; square brackets hold {intervals}. Tests are "
        f"over {over}, at a level of {level}; they speak of other {others}. {instances}."
    )


def _runs(table: pd.DataFrame, runs: Mapping[str, int]) -> list[str]:
    """Return what is to be known about the runs behind a comparison."""
    most = max(runs.values())
    if most == 1:
        return [
            "Each arrangement has one run: the findings are about these runs, and other seeds may "
            "give others."
        ]
    told = [f"{most} seeds."]
    if most < FEW:
        told = [f"{most} seeds, too few to know well how much seeds vary."]
    if single := [label for label, count in runs.items() if count == 1]:
        have = "has a single run" if len(single) == 1 else "have a single run each"
        told.append(
            f"{_joined(single)} {have}, which no seed changes; it is paired with every run of the "
            "others."
        )
    if pairs := table.loc[table["seeds"] == 1, "comparison"].unique().tolist():
        told.append(f"{_joined(pairs)}: one pair of runs, with nothing known about seeds.")
    return told


def _joined(names: Sequence[str]) -> str:
    """Return names as a list in words."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
