"""Legends: their texts and positions."""

import warnings
from collections.abc import Hashable, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.legend import Legend

from nearfirst.common.text import span
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import CHARACTER, Panels, taller, wrapped

Curve = tuple[Hashable, ...]
"""Identity of a curve: its series, and its quantity if a panel of the figure shows several."""

Entries = Sequence[tuple[Any, str]]
"""Handles of a legend with their texts."""

HANDLE = 6
"""Width in characters of a legend handle with its margins."""


def single_runs(table: pd.DataFrame) -> list[str]:
    """Return the columns with curves of single seeds."""
    return [name for name in table.columns if name.startswith("seed_")]


def names(table: pd.DataFrame, key: Sequence[str], look: LookSettings) -> dict[Curve, str]:
    """Return the name of each curve in the legend, the loss first."""
    max_seeds = table["n"].max()
    has_one_series = table[key[0]].nunique() == 1
    by_panel = [set(quantities) for _, quantities in table.groupby("panel")["quantity"]]
    has_two_axes = any("loss" in names and len(names) > 1 for names in by_panel)
    result: dict[Curve, str] = {}
    table = table.sort_values("quantity", key=lambda column: column != "loss", kind="stable")
    for curve, part in table.groupby(list(key), sort=False):
        series, *quantity = map(str, curve)
        parts = [look.legend.get(series, series)]
        if quantity:
            parts = [] if has_one_series else parts
            parts.append(look.quantities.get(quantity[0], quantity[0]))
            if has_two_axes:
                parts[-1] += " (left axis)" if quantity == ["loss"] else " (right axis)"
        result[curve] = ": ".join(parts) + (", one run" if part["n"].max() == 1 < max_seeds else "")
    return result


def heading(table: pd.DataFrame) -> str:
    """Return the legend's title, which explains means and intervals."""
    counts = table.loc[table["n"] > 1, "n"]
    if counts.empty:
        return "one seed"
    if single_runs(table):
        return f"mean of {span(counts)} seeds (thin: single runs)"
    return f"mean of {span(counts)} seeds, {100 * table['confidence'].max():g}% interval"


def above(panels: Panels, entries: Entries, title: str) -> None:
    """Put one legend above all panels, and make the figure taller by its height."""
    width = panels.figure.get_figwidth()
    handles, texts = _wrap_entries(entries, width)
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    rows = -(-len(texts) // max(1, int(width / _inches(longest + HANDLE))))
    legend = panels.figure.legend(
        handles,
        texts,
        title="\n".join(wrapped(line, width, _font_size()) for line in title.split("\n")),
        ncols=-(-len(texts) // max(1, rows)),
        loc="outside upper center",
    )
    taller(panels.figure, _height(panels, legend))


def below(panels: Panels, entries: Sequence[Entries]) -> None:
    """Put a legend below each panel, and make the figure taller by their height."""
    width = panels.figure.get_figwidth() / panels.columns
    heights = []
    for axes, of_panel in zip(panels.axes, entries, strict=True):
        handles, texts = _wrap_entries(of_panel, width)
        legend = axes.legend(handles, texts, loc="upper center", bbox_to_anchor=(0.5, -0.12))
        heights.append(_height(panels, legend))
    taller(panels.figure, panels.rows * max(heights))


def _wrap_entries(entries: Entries, inches: float) -> tuple[list[Any], list[str]]:
    """Return handles, and texts that fit beside them."""
    width = inches - _inches(HANDLE)
    texts = [wrapped(text, width, _font_size()) for _, text in entries]
    return [handle for handle, _ in entries], texts


def _inches(characters: float) -> float:
    return characters * CHARACTER * _font_size() / 72


def _font_size() -> float:
    return float(mpl.rcParams["legend.fontsize"])


def _height(panels: Panels, legend: Legend) -> float:
    """Return the height of a legend in inches."""
    with warnings.catch_warnings():
        # Fonts for other scripts are added, or missed, when the figure is written.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        return float(legend.get_window_extent().height / panels.figure.dpi)
