"""Legends: their texts and their places."""

from collections.abc import Iterator, Sequence
from typing import cast

import matplotlib as mpl
import pandas as pd
from matplotlib.lines import Line2D

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import CHARACTER, LINE, Panels, taller, wrapped

Curve = tuple[str, ...]
"""Identity of a curve: its series, and its quantity if a panel of the figure shows several."""

Entries = Sequence[tuple[Line2D, str]]

MAX_INSIDE, MAX_CHARACTERS = 4, 32
"""Curves, and characters of a name, that fit into a legend inside the panel."""
HANDLE = 6
"""Width in characters of a legend's sample of a line and the gaps around it."""


def with_curves(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return a table of points with the identity of their curves in a column `curve`."""
    curves = [tuple(row) for row in table[list(key)].to_numpy()]
    return table.assign(curve=pd.Series(curves, table.index, dtype=object))


def by_curve(table: pd.DataFrame) -> Iterator[tuple[Curve, pd.DataFrame]]:
    """Yield the curves of a table in order of appearance."""
    for curve, part in table.groupby("curve", sort=False):
        yield cast(Curve, curve), part


def single_runs(table: pd.DataFrame) -> list[str]:
    """Return the columns that hold the curves of single seeds, if there are any."""
    return [name for name in table.columns if name.startswith("seed_")]


def names(table: pd.DataFrame, look: LookSettings) -> dict[Curve, str]:
    """Return the legend's name of each curve, the loss first."""
    most_seeds = table["n"].max()
    one_series = len({curve[0] for curve in table["curve"]}) == 1
    shown = [set(quantities) for _, quantities in table.groupby("panel")["quantity"]]
    two_axes = any("loss" in its and len(its) > 1 for its in shown)
    found = {}
    table = table.sort_values("quantity", key=lambda column: column != "loss", kind="stable")
    for curve, part in by_curve(table):
        series, *quantity = curve
        parts = [look.legend.get(series, series)]
        if quantity:
            parts = [] if one_series else parts
            parts.append(look.quantities.get(quantity[0], quantity[0]))
            if two_axes:
                parts[-1] += " (left axis)" if quantity == ["loss"] else " (right axis)"
        found[curve] = ": ".join(parts) + (", one run" if part["n"].max() == 1 < most_seeds else "")
    return found


def heading(table: pd.DataFrame) -> str:
    """Return the legend's title: means and intervals."""
    counts = table.loc[table["n"] > 1, "n"]
    if counts.empty:
        return "one seed"
    low, high = counts.min(), counts.max()
    seeds = f"{high}" if low == high else f"{low} to {high}"
    thin = " (thin: single runs)" if single_runs(table) else ""
    return f"mean of {seeds} seeds{thin}, {100 * table['confidence'].max():g}% interval"


def inside(panels: Panels, entries: Entries, title: str) -> None:
    """Put a legend inside a single panel."""
    panels.axes[0].legend(*zip(*entries, strict=True), title=title)


def above(panels: Panels, entries: Entries, title: str) -> None:
    """Put one legend above all panels, and make the figure taller by its height."""
    width = panels.figure.get_figwidth()
    lines, texts = _fitted(entries, width)
    each = (max((len(text) for text in texts), default=0) + HANDLE) * CHARACTER * _inches()
    rows = -(-len(texts) // max(1, int(width / each)))
    columns = -(-len(texts) // max(1, rows))
    lines_each = max((text.count("\n") + 1 for text in texts), default=0)
    taller(panels.figure, (1 + rows * lines_each) * LINE * _inches())
    panels.figure.legend(
        lines, texts, title=title, ncols=max(1, columns), loc="outside upper center"
    )


def below(panels: Panels, entries: Sequence[Entries]) -> None:
    """Put a legend below each panel, and make the figure taller by their height."""
    tallest = 0
    for axes, its in zip(panels.axes, entries, strict=True):
        lines, texts = _fitted(its, panels.figure.get_figwidth() / panels.columns)
        axes.legend(lines, texts, loc="upper center", bbox_to_anchor=(0.5, -0.12))
        tallest = max(tallest, "\n".join(texts).count("\n") + 1)
    taller(panels.figure, panels.rows * tallest * LINE * _inches())


def _fitted(entries: Entries, inches: float) -> tuple[list[Line2D], list[str]]:
    """Return lines and texts of a legend, wrapped to a width."""
    width = inches - HANDLE * CHARACTER * _inches()
    texts = [wrapped(text, width, 72 * _inches()) for _, text in entries]
    return [line for line, _ in entries], texts


def _inches() -> float:
    """Return the size of a legend's text in inches."""
    return float(mpl.rcParams["legend.fontsize"]) / 72
