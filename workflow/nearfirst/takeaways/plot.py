"""The page of takeaways: a forest plot with one row for each claim and data set."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import style
from nearfirst.takeaways.claims import TAKEAWAYS
from nearfirst.takeaways.evidence import MOST
from nearfirst.takeaways.verdicts import (
    CONFIRMED,
    NOT_TESTABLE,
    REFUTED,
    UNDECIDED,
    VERDICTS,
    numbers,
    region,
)

WIDTH = 12.6
"""Width of the page in inches."""
LINE, MARGINS = 0.132, 0.75
"""Height of a row, and of what is above and below all rows, in inches."""
SIZE = 6.4
"""Size of text in points."""
STATEMENT, WHERE, FOREST, EFFECT = 0.008, 0.334, (0.438, 0.516), 0.521
CLAIMED, TEST, VERDICT, SHOWN = 0.66, 0.7, 0.822, 0.913
"""Where the columns begin, in widths of the page."""
LONGEST = {"where": 28, "figure": 25, "reason": 95}
"""Characters of a text that are shown."""
PALETTE = (CONFIRMED, UNDECIDED, REFUTED)
"""Verdicts in the order of the colours."""


def draw_takeaways(table: pd.DataFrame, look: LookSettings) -> Figure:
    """Draw the table that `read_takeaways` returns on one page.

    Each row has its own scale, on which its interval fits. The line in the middle is the bound of
    what the claim says, and right of it is as claimed.
    """
    colours = {name: look.palette[at % len(look.palette)] for at, name in enumerate(PALETTE)}
    colours[NOT_TESTABLE] = "0.45"
    with style(look, 1):
        lines = len(table) + len(TAKEAWAYS)
        figure = Figure(figsize=(WIDTH, MARGINS + lines * LINE))
        height = lines * LINE / figure.get_figheight()
        page = figure.add_axes((0, 0.3 / figure.get_figheight(), 1, height))
        page.set(xlim=(0, 1), ylim=(lines, 0))
        page.set_axis_off()
        counts = "   ".join(f"{(table['verdict'] == name).sum()} {name}" for name in VERDICTS)
        _write(
            page, STATEMENT, -2.0, f"Does the paper hold here?   {counts}", size=9, weight="bold"
        )
        for x, title in (
            (WHERE, "Data"),
            (FOREST[0], "otherwise"),
            (EFFECT, "Effect [interval]"),
            (CLAIMED, "Claimed"),
            (TEST, "Test, units"),
            (VERDICT, "Verdict"),
            (SHOWN, "Figure"),
        ):
            _write(page, x, -0.3, title, style="italic")
        _write(page, FOREST[1], -0.3, "as claimed", style="italic", ha="right")
        at = 0
        for takeaway, title in TAKEAWAYS.items():
            rows = table[table["takeaway"] == takeaway]
            page.axhspan(at, at + 1, color="0.93", linewidth=0)
            _write(page, STATEMENT, at + 0.5, f"{takeaway}. {title}", weight="bold")
            for _, row in rows.iterrows():
                at += 1
                _row(page, at + 0.5, row, colours[row["verdict"]])
            at += 1
        alpha = table["alpha"].iloc[0]
        level = f"{100 * (1 - alpha):g}%"
        how = (
            f"Confirmed: p ≤ {alpha:g} and the whole {level} interval right of the line; refuted: "
            "all of it left. Primary rows are corrected together (Holm), those in parentheses are "
            "not. Each row has its own scale. Undecided is no evidence against a claim."
        )
        _write(page, STATEMENT, lines + 1.2, how)
    return figure


def scale(row: "pd.Series[Any]") -> tuple[float, float, float]:
    """Return where an effect and its interval lie between −1 and 1, above 0 if in the region.

    With one bound it is the distance to it, with two that to the nearer one, in units of the
    largest of the three. What is infinite lies at the edge.
    """
    low, high = row["region_low"], row["region_high"]
    values = np.array([row["effect"], row["low"], row["high"]])
    if (low, high) == MOST or np.isinf(high):
        inward = values - low
    elif np.isinf(low):
        inward = high - values
    else:
        centre, margin = (low + high) / 2, (high - low) / 2
        apart = np.abs(values - centre)
        nearest = 0.0 if values[1] <= centre <= values[2] else apart[1:].min()
        inward = margin - np.array([apart[0], nearest, apart[1:].max()])
    finite = np.abs(inward[np.isfinite(inward)])
    unit = finite.max(initial=0) or 1.0
    middle, *ends = np.clip(inward / unit, -1, 1)
    return float(middle), float(min(ends)), float(max(ends))


def _row(page: Axes, y: float, row: "pd.Series[Any]", colour: str) -> None:
    """Write a row, and draw its interval."""
    primary = row["primary"] == "yes"
    statement = row["statement"] if primary else f"({row['statement']})"
    verdict = {"color": colour}
    _write(page, STATEMENT, y, statement, color="black" if primary else "0.35")
    _write(page, WHERE, y, _short(row, "where"))
    _write(page, SHOWN, y, _short(row, "figure"))
    if row["verdict"] == NOT_TESTABLE:
        _write(page, WHERE if not row["where"] else FOREST[0], y, _short(row, "reason"), **verdict)
        _write(page, VERDICT, y, row["verdict"], **verdict)
        return
    left, right = FOREST
    page.plot([(left + right) / 2] * 2, [y - 0.5, y + 0.5], color="0.6", linewidth=0.6)
    effect, low, high = ((left + right) / 2 + it * (right - left) / 2 for it in scale(row))
    page.plot([low, high], [y, y], color=colour, linewidth=1.1, solid_capstyle="butt")
    filled = colour if row["verdict"] != UNDECIDED else "white"
    page.plot([effect], [y], "o", color=colour, markerfacecolor=filled, markersize=3)
    p_value = row["p_holm"] if primary else row["p_value"]
    _write(page, EFFECT, y, numbers(row))
    _write(page, CLAIMED, y, region(row))
    _write(page, TEST, y, f"{row['test']}, {row['n']:.0f} {row['units']}")
    weight = "normal" if row["verdict"] == UNDECIDED else "bold"
    _write(page, VERDICT, y, f"{row['verdict']}, p {_p(p_value)}", weight=weight, **verdict)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"


def _short(row: "pd.Series[Any]", name: str) -> str:
    text = str(row[name])
    return text if len(text) <= LONGEST[name] else f"{text[: LONGEST[name] - 1]}…"


def _write(page: Axes, x: float, y: float, text: str, **how: Any) -> None:
    page.text(x, y, text, **{"va": "center", "size": SIZE, "clip_on": False, **how})
