"""The page of takeaways: a forest plot with one row for each claim and data set."""

from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import style
from nearfirst.takeaways.claims import TAKEAWAYS
from nearfirst.takeaways.evidence import MAJORITY
from nearfirst.takeaways.verdicts import (
    CONFIRMED,
    NOT_TESTABLE,
    REFUTED,
    UNDECIDED,
    VERDICTS,
    decisive_p_value,
    effect_text,
    region_text,
)

WIDTH = 12.6
"""Width of the page in inches."""
LINE, MARGINS = 0.132, 0.75
"""Height of a row, and of everything above and below the rows, in inches."""
FONT_SIZE = 6.4
"""In points."""
STATEMENT, WHERE, FOREST, EFFECT = 0.008, 0.334, (0.438, 0.516), 0.521
CLAIMED, TEST, VERDICT, SHOWN = 0.66, 0.7, 0.822, 0.913
"""Left edges of the columns, as shares of the page width."""
MAX_LENGTHS = {"where": 28, "figure": 25, "reason": 95}
"""In characters; longer texts are cut."""


def draw_takeaways(table: pd.DataFrame, look: LookSettings) -> Figure:
    """Draw the table that `read_takeaways` returns on one page.

    Each row is scaled to its own interval. The line in the middle is the bound of the region that
    is claimed, which lies to the right.
    """
    colours = dict(zip((CONFIRMED, UNDECIDED, REFUTED), cycle(look.palette), strict=False))
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
        line = 0
        for takeaway, title in TAKEAWAYS.items():
            page.axhspan(line, line + 1, color="0.93", linewidth=0)
            _write(page, STATEMENT, line + 0.5, f"{takeaway}. {title}", weight="bold")
            for _, row in table[table["takeaway"] == takeaway].iterrows():
                line += 1
                _draw_row(page, line + 0.5, row, colours[row["verdict"]])
            line += 1
        alpha = table["alpha"].iloc[0]
        legend = (
            f"Confirmed: p ≤ {alpha:g} and the whole {100 * (1 - alpha):g}% interval right of the "
            "line; refuted: all of it left. Primary rows are corrected together (Holm), those in "
            "parentheses are not. Each row has its own scale. Undecided is no evidence against a "
            "claim."
        )
        _write(page, STATEMENT, lines + 1.2, legend)
    return figure


def scale(row: "pd.Series[Any]") -> tuple[float, float, float]:
    """Scale an effect and its interval to between −1 and 1, above 0 inside the region.

    Each value becomes its distance to the nearest bound of the region, in units of the largest of
    the three. Infinite values lie at the edge.
    """
    low, high = row["region_low"], row["region_high"]
    values = np.array([row["effect"], row["low"], row["high"]])
    if (low, high) == MAJORITY or np.isinf(high):
        inward = values - low
    elif np.isinf(low):
        inward = high - values
    else:
        centre, margin = (low + high) / 2, (high - low) / 2
        effect, *ends = np.abs(values - centre)
        nearest = 0.0 if values[1] <= centre <= values[2] else min(ends)
        inward = margin - np.array([effect, nearest, max(ends)])
    finite = np.abs(inward[np.isfinite(inward)])
    unit = finite.max(initial=0) or 1.0
    middle, *ends = np.clip(inward / unit, -1, 1)
    return float(middle), float(min(ends)), float(max(ends))


def _draw_row(page: Axes, y: float, row: "pd.Series[Any]", colour: str) -> None:
    """Write a row, and draw its interval."""
    primary = row["primary"] == "yes"
    statement = row["statement"] if primary else f"({row['statement']})"
    _write(page, STATEMENT, y, statement, color="black" if primary else "0.35")
    _write(page, WHERE, y, _shorten(row, "where"))
    _write(page, SHOWN, y, _shorten(row, "figure"))
    if row["verdict"] == NOT_TESTABLE:
        _write(
            page, WHERE if not row["where"] else FOREST[0], y, _shorten(row, "reason"), color=colour
        )
        _write(page, VERDICT, y, row["verdict"], color=colour)
        return
    left, right = FOREST
    page.plot([(left + right) / 2] * 2, [y - 0.5, y + 0.5], color="0.6", linewidth=0.6)
    effect, low, high = ((left + right) / 2 + x * (right - left) / 2 for x in scale(row))
    page.plot([low, high], [y, y], color=colour, linewidth=1.1, solid_capstyle="butt")
    undecided = row["verdict"] == UNDECIDED
    fill = "white" if undecided else colour
    page.plot([effect], [y], "o", color=colour, markerfacecolor=fill, markersize=3)
    _write(page, EFFECT, y, effect_text(row))
    _write(page, CLAIMED, y, region_text(row))
    _write(page, TEST, y, f"{row['test']}, {row['n']:.0f} {row['units']}")
    p_value = decisive_p_value(row)
    text = f"{row['verdict']}, p {'< 0.001' if p_value < 0.001 else f'= {p_value:.2g}'}"
    _write(page, VERDICT, y, text, weight="normal" if undecided else "bold", color=colour)


def _shorten(row: "pd.Series[Any]", name: str) -> str:
    text, limit = str(row[name]), MAX_LENGTHS[name]
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _write(page: Axes, x: float, y: float, text: str, **options: Any) -> None:
    page.text(x, y, text, **{"va": "center", "size": FONT_SIZE, "clip_on": False, **options})
