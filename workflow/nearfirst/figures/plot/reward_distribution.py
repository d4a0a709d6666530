"""Rewards of right and of wrong answers: read, drawn as histograms with densities, described."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst.common.csv import read_csv
from nearfirst.common.text import counted
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import legend
from nearfirst.figures.plot.style import panels_of, style, turn

GROUPS = ("right", "wrong")
X_LABEL, Y_LABEL = "Reward of an answer", "Density"
TEXT = ("group", "what")
COLUMNS = ("x", "width", "value", "low", "high", "n", "confidence")


def read(path: Path, series: str = "") -> pd.DataFrame:
    """Read a table that `reward_distribution.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, (*TEXT, *COLUMNS), TEXT)


def draw(table: pd.DataFrame, look: LookSettings, series: str = "") -> Figure:
    """Draw the rewards of right and of wrong answers, and state how far they overlap.

    The histogram of the right answers is filled, that of the wrong ones an outline, so that they
    differ in grey and where one covers the other.
    A group may lack its density, or have no answers; the figure then says so.
    """
    with style(look, 1):
        panels = panels_of(look, 1)
        axes = panels.axes[0]
        entries = []
        for place, group in enumerate(GROUPS):
            part = table[table["group"] == group]
            if (part["what"] == "histogram").any():
                entries.append((_draw(axes, part, place, look), _numbers(table, group)))
        axes.set_xlabel(X_LABEL)
        axes.set_ylabel(Y_LABEL)
        axes.set_ylim(bottom=0)
        legend.above(panels, entries, "\n".join(sentences(table)))
    return panels.figure


def _draw(axes: Axes, part: pd.DataFrame, place: int, look: LookSettings) -> tuple[Artist, ...]:
    """Draw a group; return its handles for the legend."""
    looks = turn(look, place)
    bars = part[part["what"] == "histogram"].sort_values("x")
    edges = np.append(bars["x"], bars["x"].iloc[-1:] + bars["width"].iloc[-1:])
    # No hatches: some viewers of PDF leave them out of large areas.
    filled = place == 0
    histogram = axes.stairs(
        bars["value"].to_numpy(),
        edges,
        fill=filled,
        color=looks["color"],
        alpha=min(1.0, 2 * look.band_opacity) if filled else 1.0,
        linewidth=0.0 if filled else 0.8,
    )
    curve = part[part["what"] == "density"].sort_values("x")
    if curve.empty:
        return (histogram,)
    (line,) = axes.plot(curve["x"], curve["value"], color=looks["color"], ls=looks["linestyle"])
    return (histogram, line) if filled else (line,)


def facts(table: pd.DataFrame, series: str = "") -> list[str]:
    """Return what the caption says of the rewards."""
    instances, seeds, checkpoints, left_out = (
        _count(table, "both", what) for what in ("instances", "seeds", "checkpoints", "left_out")
    )
    size = sum(_count(table, group, "count") for group in GROUPS)
    return [
        f"{size:,} answers of {seeds} runs at {checkpoints} checkpoints to {instances:,} test "
        f"instances; {left_out:,} instances without a score or a reward are left out.",
        *(f"{text[0].upper()}{text[1:]}." for text in sentences(table)),
    ]


def sentences(table: pd.DataFrame) -> list[str]:
    """Return overlap and AUC, and why a density or one of them is missing."""
    level = f"{100 * table['confidence'].max():g}%"
    found = []
    for what, name in (("overlap", "overlap"), ("auc", "AUC")):
        value, low, high = _row(table, "both", what)
        if np.isfinite(value):
            interval = f" ({level} interval {low:.2f} to {high:.2f})" if np.isfinite(low) else ""
            found.append(f"{name} {value:.2f}{interval}")
    drawn = set(table.loc[table["what"] == "density", "group"])
    answers, prompts = (_count(table, "both", what) for what in ("min_answers", "min_instances"))
    for group in GROUPS:
        size, its = (_count(table, group, what) for what in ("count", "instances"))
        if not size:
            found.append(f"no {group} answers: nothing to compare")
        elif size < answers or its < prompts:
            few = "a density and intervals" if its < prompts else "a density"
            found.append(
                f"{_numbers(table, group)}: too few for {few} "
                f"(at least {answers} answers to {prompts} prompts)"
            )
        elif group not in drawn:
            found.append(f"all {group} answers have the same reward: no density")
    return found


def _numbers(table: pd.DataFrame, group: str) -> str:
    """Return how many answers a group has, and to how many prompts."""
    size, its = (_count(table, group, what) for what in ("count", "instances"))
    return f"{counted(size, f'{group} answer')} to {counted(its, 'prompt')}"


def _count(table: pd.DataFrame, group: str, what: str) -> int:
    """Return the whole number in the row of a group that says this."""
    return int(_row(table, group, what)["value"])


def _row(table: pd.DataFrame, group: str, what: str) -> "pd.Series[float]":
    row = table[(table["group"] == group) & (table["what"] == what)]
    return row[["value", "low", "high"]].iloc[0]
