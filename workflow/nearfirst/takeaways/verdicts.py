"""From effects to verdicts, and to the table and the words of the page."""

from collections.abc import Mapping, Sequence
from math import isinf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.csv import read_csv
from nearfirst.common.errors import InputError
from nearfirst.figures.figure import RunId
from nearfirst.figures.run import Run, Similarity, check_seeds
from nearfirst.takeaways.claims import BY_NAME
from nearfirst.takeaways.effects import TESTS
from nearfirst.takeaways.evidence import MOST, Data, Effect, Method, NotTestableError, Region
from nearfirst.takeaways.subjects import Role, Subject

CONFIRMED, REFUTED, UNDECIDED = "confirmed", "refuted", "undecided"
NOT_TESTABLE = "not testable here"
VERDICTS = (CONFIRMED, REFUTED, UNDECIDED, NOT_TESTABLE)

TEXT = (
    *("claim", "statement", "where", "figure", "primary", "verdict"),
    *("quantity", "test", "units", "note", "reason"),
)
"""Columns of names and words; all others hold numbers."""
NUMBERS = (
    *("takeaway", "effect", "low", "high", "region_low", "region_high"),
    *("p_value", "p_holm", "n", "seeds", "alpha"),
)
COLUMNS = (
    *("takeaway", "claim", "statement", "where", "figure", "primary", "verdict"),
    *("effect", "low", "high", "quantity", "region_low", "region_high", "p_value", "p_holm"),
    *("test", "units", "n", "seeds", "note", "reason", "alpha"),
)


def takeaways(
    subjects: Sequence[Subject],
    runs: Mapping[str, Mapping[RunId, Run]],
    similarities: Mapping[RunId, Similarity],
    method: Method,
) -> pd.DataFrame:
    """Test every claim on its subjects, and return a verdict on each.

    Parameters
    ----------
    subjects
        In the order of the rows.
    runs
        By metric.

    Returns
    -------
    One row for each subject: takeaway (1 to 6), claim, statement, where (data sets), figure (whose
    runs these are), primary (`yes` or `no`), verdict; effect, low, high, quantity (what the effect
    is), region_low and region_high (where the claim says it is), p_value, p_holm (of a primary row:
    corrected by Holm over these), test, units, n (of them), seeds, note, reason (if not testable),
    alpha.

    A row whose runs are missing or cannot be compared is not testable, and says why.
    """
    rows = []
    for subject in subjects:
        claim = BY_NAME[subject.claim]
        row: dict[str, Any] = dict.fromkeys(TEXT, "") | {
            "takeaway": claim.takeaway,
            "claim": claim.name,
            "statement": claim.statement,
            "where": subject.where,
            "figure": subject.figure,
            "primary": "yes" if claim.primary else "no",
            "reason": subject.missing,
        }
        if not subject.missing:
            try:
                data = data_of(subject, runs, similarities)
                row |= _columns(TESTS[claim.test](data, method, **claim.options))
            except InputError as reason:
                row["reason"] = str(reason)
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).assign(alpha=method.settings.alpha)
    table = table.astype(dict.fromkeys(NUMBERS, float) | {"takeaway": int})
    tested = (table["primary"] == "yes") & table["p_value"].notna()
    table.loc[tested, "p_holm"] = holm(table.loc[tested, "p_value"].to_numpy())
    table["verdict"] = [
        verdict(
            (row["low"], row["high"]),
            (row["region_low"], row["region_high"]),
            row["p_holm"] if row["primary"] == "yes" else row["p_value"],
            method.settings.alpha,
        )
        for row in table.to_dict("records")
    ]
    return table


def data_of(
    subject: Subject,
    runs: Mapping[str, Mapping[RunId, Run]],
    similarities: Mapping[RunId, Similarity],
) -> Data:
    """Return the runs of a subject by their roles.

    Raises
    ------
    InputError
        If a role has runs of different steps or instances.
    NotTestableError
        If a role has no runs, or no similarity.
    """

    def by_seed(found: Mapping[RunId, Any], its: Role) -> dict[int, Any]:
        wanted = (its.dataset, its.test, its.arrangement)
        return {run.seed: found[run] for run in sorted(found) if run[:3] == wanted}

    def by_role(found: Mapping[RunId, Any], what: str) -> dict[str, dict[int, Any]]:
        result = {}
        for its in subject.roles:
            result[its.role] = by_seed(found, its)
            if not result[its.role]:
                raise NotTestableError(
                    f"no {what} of {its.arrangement} on {its.dataset}, {its.test}"
                )
        return result

    data = Data(
        {metric: by_role(runs.get(metric, {}), metric) for metric in subject.metrics},
        by_role(similarities, "similarity") if subject.similar else {},
        {its.role: its.dataset for its in subject.roles},
        {its.role: its.test for its in subject.roles},
        {its.role: its.arrangement for its in subject.roles},
        subject.paper_steps,
        {its.arrangement: by_seed(runs["loss"], its) for its in subject.beside},
    )
    for metric in subject.metrics:
        check_seeds(data.keyed(metric))
    return data


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (N,) p-values corrected by Holm (Scandinavian Journal of Statistics 6, 1979)."""
    order = np.argsort(p_values, kind="stable")
    raised = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(raised), 1)
    return corrected


def verdict(interval: Region, region: Region, p_value: float, alpha: float) -> str:
    """Return what an interval and a p-value say about a claim that an effect lies in a region.

    Confirmed if p ≤ α and the whole interval lies in the region, refuted if p ≤ α and all of it
    lies outside. Without a p-value the claim is not testable.
    """
    if np.isnan(p_value):
        return NOT_TESTABLE
    if p_value <= alpha:
        if region[0] <= interval[0] and interval[1] <= region[1]:
            return CONFIRMED
        if interval[1] < region[0] or region[1] < interval[0]:
            return REFUTED
    return UNDECIDED


def read_takeaways(path: Path) -> pd.DataFrame:
    """Read the table that `takeaways.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, COLUMNS, TEXT)


def caption(table: pd.DataFrame) -> str:
    """Return how many claims hold, and how to read the page."""
    alpha = table["alpha"].iloc[0]
    counts = ", ".join(f"{(table['verdict'] == name).sum()} {name}" for name in VERDICTS)
    primary = (table["primary"] == "yes").sum()
    return (
        f"Does the paper hold here? Of {len(table)} rows: {counts}. Each row has a test that was "
        "registered before any result. A claim is confirmed if its p-value is at most "
        f"{alpha:g} and the whole {100 * (1 - alpha):g}% interval (in square brackets) lies "
        "where the claim says, refuted if all of it lies elsewhere. Holm's correction covers the "
        f"{primary} primary rows; the others, in parentheses on the page, are not corrected. "
        "Undecided is no evidence against a claim. On the page, each row is drawn to its own "
        "scale: right of the line is where the claim says."
    )


def sentence(row: "pd.Series[Any]") -> str:
    """Return a row in one sentence."""
    where = "; ".join(filter(None, (row["where"], row["figure"])))
    says = (
        f"{row['takeaway']}. {row['statement']}{f' ({where})' if where else ''}: {row['verdict']}"
    )
    if row["verdict"] == NOT_TESTABLE:
        return f"{says}, because {row['reason']}."
    corrected = " after Holm" if row["primary"] == "yes" else ", not corrected"
    p_value = row["p_holm"] if row["primary"] == "yes" else row["p_value"]
    seeds = f"{row['seeds']:.0f} {'seed' if row['seeds'] == 1 else 'seeds'}"
    note = f"; {row['note']}" if row["note"] else ""
    return (
        f"{says}, {numbers(row)}, claimed {region(row)}, p = {p_value:.2g}{corrected} "
        f"({row['test']}; {row['n']:.0f} {row['units']}, {seeds}{note})."
    )


def numbers(row: "pd.Series[Any]") -> str:
    """Return the effect of a row with its interval and what it is."""
    effect, low, high = (_number(row[name]) for name in ("effect", "low", "high"))
    return f"{effect} [{low}, {high}] {row['quantity']}"


def region(row: "pd.Series[Any]") -> str:
    """Return where the claim says that the effect lies."""
    low, high = row["region_low"], row["region_high"]
    if isinf(low):
        return f"≤ {high:g}" if high else "< 0"
    if isinf(high) or (low, high) == MOST:
        return f"> {low:g}"
    centre, margin = _number((low + high) / 2), _number((high - low) / 2)
    return f"± {margin}" if centre == "0" else f"{centre} ± {margin}"


def _number(value: float) -> str:
    if isinf(value):
        return "never"
    # `+ 0.0` makes zero of minus zero.
    text = f"{round(value, 3) + 0.0:g}" if abs(value) < 10 else f"{value:.3g}"
    return text.replace("-", "−")


def _columns(effect: Effect) -> dict[str, Any]:
    its = effect._asdict()
    its["effect"] = its.pop("estimate")
    its["region_low"], its["region_high"] = its.pop("region")
    return its
