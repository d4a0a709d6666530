"""From effects to verdicts, and to the table and the text of the page."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from math import isinf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.csv import read_csv
from nearfirst.common.errors import InputError
from nearfirst.common.text import counted
from nearfirst.figures.figure import Curve, RunId
from nearfirst.figures.run import Key, Run, Similarity, by_label
from nearfirst.takeaways import measures, orders, tasks
from nearfirst.takeaways.claims import BY_NAME
from nearfirst.takeaways.evidence import MAJORITY, Data, Effect, Method, Region
from nearfirst.takeaways.subjects import Subject

CONFIRMED, REFUTED, UNDECIDED = "confirmed", "refuted", "undecided"
NOT_TESTABLE = "not testable here"
VERDICTS = (CONFIRMED, REFUTED, UNDECIDED, NOT_TESTABLE)

TEXT = (
    *("claim", "statement", "where", "figure", "primary", "verdict"),
    *("quantity", "test", "units", "note", "reason"),
)
"""Columns of text; all others hold numbers."""
COLUMNS = (
    *("takeaway", "claim", "statement", "where", "figure", "primary", "verdict"),
    *("effect", "low", "high", "quantity", "region_low", "region_high", "p_value", "p_holm"),
    *("test", "units", "n", "seeds", "note", "reason", "alpha"),
)

TESTS: dict[str, Callable[..., Effect]] = {
    test.__name__: test
    for test in (
        *(orders.difference, orders.between, orders.equivalence, orders.trend),
        *(measures.early, measures.early_tasks, measures.steadier, measures.fairer),
        *(measures.tells_apart, tasks.sudden, tasks.follows, tasks.samples_differ),
        *(tasks.same_correlation, tasks.no_correlation),
    )
}
"""Each takes `Data`, a `Method` and the options of a claim; may raise `InputError`."""


def takeaways(
    subjects: Sequence[Subject],
    runs: Mapping[str, Mapping[RunId, Run]],
    similarities: Mapping[RunId, Similarity],
    method: Method,
) -> pd.DataFrame:
    """Test every claim on its subjects, with the runs given by metric.

    Returns
    -------
    One row for each subject: takeaway (1 to 6), claim, statement, where (data sets), figure (which
    shows the runs), primary (`yes` or `no`), verdict; effect, low, high, quantity (what the effect
    is), region_low and region_high (where the claim puts it), p_value, p_holm (Holm-corrected over
    the primary rows; only for these), test, units, n (of them), seeds, note, reason, alpha.

    Where runs are missing or cannot be compared, the claim is not testable and `reason` says why.
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
        }
        try:
            data = data_of(subject, runs, similarities)
            effect = TESTS[claim.test](data, method, **claim.options)
            region_low, region_high = effect.region
            row |= {"region_low": region_low, "region_high": region_high}
            row |= {"effect": effect.estimate, **effect._asdict()}
        except InputError as error:
            row["reason"] = str(error)
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).assign(alpha=method.settings.alpha)
    numbers = [name for name in COLUMNS if name not in TEXT]
    table = table.astype(dict.fromkeys(numbers, float) | {"takeaway": int})
    tested = (table["primary"] == "yes") & table["p_value"].notna()
    table.loc[tested, "p_holm"] = holm(table.loc[tested, "p_value"].to_numpy())
    table["verdict"] = [
        verdict(
            (row["low"], row["high"]),
            (row["region_low"], row["region_high"]),
            decisive_p_value(row),
            method.settings.alpha,
        )
        for _, row in table.iterrows()
    ]
    return table


def data_of(
    subject: Subject,
    runs: Mapping[str, Mapping[RunId, Run]],
    similarities: Mapping[RunId, Similarity],
) -> Data:
    """Return the runs of a subject by role.

    Raises InputError if the runs of a role differ in steps or instances, and InputError if
    there is no role, or one has no runs or no similarities.
    """
    if not subject.roles:
        raise InputError("no figure of this config shows such runs")

    def of(role: Curve, tables: Mapping[RunId, Any], name: str) -> dict[Key, Any]:
        found = {
            (role.label, run.seed): tables[run] for run in sorted(tables) if run[:3] == role[1:]
        }
        if not found:
            raise InputError(f"no {name} of {role.arrangement} on {role.dataset}, {role.test}")
        return found

    def of_roles(tables: Mapping[RunId, Any], name: str) -> dict[Key, Any]:
        return dict(chain(*(of(role, tables, name).items() for role in subject.roles)))

    others = [role._replace(label=role.arrangement) for role in subject.others]
    data = Data(
        subject.roles,
        {metric: of_roles(runs.get(metric, {}), metric) for metric in subject.metrics},
        of_roles(similarities, "similarity") if subject.with_similarity else {},
        dict(chain(*(of(role, runs["loss"], "loss").items() for role in others))),
        subject.paper_steps,
    )
    for metric in subject.metrics:
        by_label(data.runs[metric])  # fails if the runs of a role differ in steps or instances
    return data


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (N,) p-values corrected by Holm (Scandinavian Journal of Statistics 6, 1979)."""
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected


def verdict(interval: Region, region: Region, p_value: float, alpha: float) -> str:
    """Judge the claim that an effect lies in a region.

    It is confirmed if p ≤ α and the whole interval lies in the region, refuted if p ≤ α and all of
    it lies outside. Without a p-value the claim is not testable.
    """
    if np.isnan(p_value):
        return NOT_TESTABLE
    if p_value <= alpha:
        if region[0] <= interval[0] and interval[1] <= region[1]:
            return CONFIRMED
        if interval[1] < region[0] or region[1] < interval[0]:
            return REFUTED
    return UNDECIDED


def decisive_p_value(row: "pd.Series[Any]") -> float:
    """Return the p-value that decides a row: the corrected one if it is primary."""
    return float(row["p_holm"] if row["primary"] == "yes" else row["p_value"])


def read_takeaways(path: Path) -> pd.DataFrame:
    """Read the table that `takeaways.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, TEXT)


def caption(table: pd.DataFrame) -> str:
    """Return the caption: how many claims hold, and how to read the page."""
    alpha = table["alpha"].iloc[0]
    counts = ", ".join(f"{(table['verdict'] == name).sum()} {name}" for name in VERDICTS)
    corrected = counted(table["p_holm"].notna().sum(), "primary row")
    return (
        f"Does the paper hold here? Of {len(table)} rows: {counts}. Each row has a test that was "
        "registered before any result. A claim is confirmed if its p-value is at most "
        f"{alpha:g} and the whole {100 * (1 - alpha):g}% interval (in square brackets) lies "
        "where the claim says, refuted if all of it lies elsewhere. Holm's correction covers the "
        f"{corrected} that can be tested; those in parentheses on the page are not corrected. "
        "Undecided is no evidence against a claim. On the page, each row is drawn to its own "
        "scale: right of the line is where the claim says."
    )


def sentence(row: "pd.Series[Any]") -> str:
    """Return a row in one sentence."""
    where = "; ".join(filter(None, (row["where"], row["figure"])))
    text = (
        f"{row['takeaway']}. {row['statement']}{f' ({where})' if where else ''}: {row['verdict']}"
    )
    if row["verdict"] == NOT_TESTABLE:
        return f"{text}, because {row['reason']}."
    corrected = " after Holm" if row["primary"] == "yes" else ", not corrected"
    seeds = f"{row['seeds']:.0f} {'seed' if row['seeds'] == 1 else 'seeds'}"
    note = f"; {row['note']}" if row["note"] else ""
    return (
        f"{text}, {effect_text(row)}, claimed {region_text(row)}, "
        f"p = {decisive_p_value(row):.2g}{corrected} "
        f"({row['test']}; {row['n']:.0f} {row['units']}, {seeds}{note})."
    )


def effect_text(row: "pd.Series[Any]") -> str:
    """Return the effect of a row with its interval and unit."""
    effect, low, high = (_format_number(row[name]) for name in ("effect", "low", "high"))
    return f"{effect} [{low}, {high}] {row['quantity']}"


def region_text(row: "pd.Series[Any]") -> str:
    """Return where the effect lies according to the claim."""
    low, high = row["region_low"], row["region_high"]
    if isinf(low):
        return f"≤ {high:g}" if high else "< 0"
    if isinf(high) or (low, high) == MAJORITY:
        return f"> {low:g}"
    centre, margin = _format_number((low + high) / 2), _format_number((high - low) / 2)
    return f"± {margin}" if centre == "0" else f"{centre} ± {margin}"


def _format_number(value: float) -> str:
    if isinf(value):
        return "never"
    # `+ 0.0` turns minus zero into zero.
    text = f"{round(value, 3) + 0.0:g}" if abs(value) < 10 else f"{value:.3g}"
    return text.replace("-", "−")
