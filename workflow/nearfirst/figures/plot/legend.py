"""Legends: their texts and their places."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.legend import Legend

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import CHARACTER, Panels, taller, wrapped

Curve = tuple[Hashable, ...]
"""Identity of a curve: its series, and its quantity if a panel of the figure shows several."""

Entries = Sequence[tuple[Any, str]]
"""What stands in a legend, and its text."""

MAX_INSIDE, MAX_CHARACTERS = 4, 32
"""Curves, and characters of a name, that fit into a legend inside the panel."""
HANDLE = 6
"""Width in characters of a legend's sample of a line and the gaps around it."""


def single_runs(table: pd.DataFrame) -> list[str]:
    """Return the columns that hold the curves of single seeds, if there are any."""
    return [name for name in table.columns if name.startswith("seed_")]


def names(table: pd.DataFrame, key: Sequence[str], look: LookSettings) -> dict[Curve, str]:
    """Return the legend's name of each curve, the loss first."""
    most_seeds = table["n"].max()
    one_series = table[key[0]].nunique() == 1
    shown = [set(quantities) for _, quantities in table.groupby("panel")["quantity"]]
    two_axes = any("loss" in its and len(its) > 1 for its in shown)
    found: dict[Curve, str] = {}
    table = table.sort_values("quantity", key=lambda column: column != "loss", kind="stable")
    for curve, part in table.groupby(list(key), sort=False):
        series, *quantity = map(str, curve)
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


def above(panels: Panels, entries: Entries, title: str) -> None:
    """Put one legend above all panels, and make the figure taller by its height."""
    width, points = panels.figure.get_figwidth(), float(mpl.rcParams["legend.fontsize"])
    texts = _wrapped((text for _, text in entries), width)
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    rows = -(-len(texts) // max(1, int(width / _inches(longest + HANDLE))))
    legend = panels.figure.legend(
        [handle for handle, _ in entries],
        texts,
        title="\n".join(wrapped(line, width, points) for line in title.split("\n")),
        ncols=-(-len(texts) // max(1, rows)),
        loc="outside upper center",
    )
    taller(panels.figure, _height(panels, legend))


def below(panels: Panels, entries: Sequence[Entries]) -> None:
    """Put a legend below each panel, and make the figure taller by their height."""
    width = panels.figure.get_figwidth() / panels.columns
    heights = []
    for axes, its in zip(panels.axes, entries, strict=True):
        texts = _wrapped((text for _, text in its), width)
        handles = [handle for handle, _ in its]
        legend = axes.legend(handles, texts, loc="upper center", bbox_to_anchor=(0.5, -0.12))
        heights.append(_height(panels, legend))
    taller(panels.figure, panels.rows * max(heights))


def _wrapped(texts: Iterable[str], inches: float) -> list[str]:
    points = float(mpl.rcParams["legend.fontsize"])
    return [wrapped(text, inches - _inches(HANDLE), points) for text in texts]


def _inches(characters: float) -> float:
    """Return the width of some characters of a legend."""
    return characters * CHARACTER * float(mpl.rcParams["legend.fontsize"]) / 72


def _height(panels: Panels, legend: Legend) -> float:
    """Return the height of a legend in inches."""
    return float(legend.get_window_extent().height / panels.figure.dpi)
