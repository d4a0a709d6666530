"""Rewards of right and of wrong answers: drawing histograms and densities, caption."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst.common.text import counted
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import legend
from nearfirst.figures.plot.style import numbered_style, panels_of, style

GROUPS = ("right", "wrong")


def draw(table: pd.DataFrame, look: LookSettings, series: str = "") -> Figure:
    """Draw the rewards of right and of wrong answers, and state how far they overlap.

    The histogram of right answers is filled and that of wrong ones outlined, so that they differ in
    greyscale and where they overlap. The legend says if a group has no density or no answers.
    """
    with style(look, 1):
        panels = panels_of(look, 1)
        axes = panels.axes[0]
        entries = []
        for i, group in enumerate(GROUPS):
            part = table[table["group"] == group]
            if (part["what"] == "histogram").any():
                entries.append((_draw_group(axes, part, i, look), _size(table, group)))
        axes.set_xlabel("Reward of an answer")
        axes.set_ylabel("Density")
        axes.set_ylim(bottom=0)
        legend.above(panels, entries, "\n".join(sentences(table)))
    return panels.figure


def _draw_group(axes: Axes, part: pd.DataFrame, i: int, look: LookSettings) -> tuple[Artist, ...]:
    """Draw a group; return its handles for the legend."""
    line_style = numbered_style(look, i)
    bars = part[part["what"] == "histogram"].sort_values("x")
    edges = np.append(bars["x"], bars["x"].iloc[-1:] + bars["width"].iloc[-1:])
    # No hatches: some PDF viewers leave them out of large areas.
    is_filled = i == 0
    histogram = axes.stairs(
        bars["value"].to_numpy(),
        edges,
        fill=is_filled,
        color=line_style["color"],
        alpha=min(1.0, 2 * look.band_opacity) if is_filled else 1.0,
        linewidth=0.0 if is_filled else 0.8,
    )
    curve = part[part["what"] == "density"].sort_values("x")
    if curve.empty:
        return (histogram,)
    del line_style["marker"]
    (line,) = axes.plot(curve["x"], curve["value"], **line_style)
    return (histogram, line) if is_filled else (line,)


def facts(table: pd.DataFrame, series: str = "") -> list[str]:
    """Return the facts of the caption."""
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
    """Return overlap and AUC, and why one of them or a density is missing."""
    level = f"{100 * table['confidence'].max():g}%"
    result = []
    for what, name in (("overlap", "overlap"), ("auc", "AUC")):
        value, low, high = _row(table, "both", what)
        if np.isfinite(value):
            interval = f" ({level} interval {low:.2f} to {high:.2f})" if np.isfinite(low) else ""
            result.append(f"{name} {value:.2f}{interval}")
    drawn = set(table.loc[table["what"] == "density", "group"])
    min_answers = _count(table, "both", "min_answers")
    min_prompts = _count(table, "both", "min_instances")
    for group in GROUPS:
        answers, prompts = _count(table, group, "count"), _count(table, group, "instances")
        if not answers:
            result.append(f"no {group} answers: nothing to compare")
        elif answers < min_answers or prompts < min_prompts:
            few = "a density and intervals" if prompts < min_prompts else "a density"
            result.append(
                f"{_size(table, group)}: too few for {few} "
                f"(at least {min_answers} answers to {min_prompts} prompts)"
            )
        elif group not in drawn:
            result.append(f"all {group} answers have the same reward: no density")
    return result


def _size(table: pd.DataFrame, group: str) -> str:
    """Return the number of answers in a group, and of prompts."""
    answers, prompts = _count(table, group, "count"), _count(table, group, "instances")
    return f"{counted(answers, f'{group} answer')} to {counted(prompts, 'prompt')}"


def _count(table: pd.DataFrame, group: str, what: str) -> int:
    return int(_row(table, group, what)["value"])


def _row(table: pd.DataFrame, group: str, what: str) -> "pd.Series[float]":
    row = table[(table["group"] == group) & (table["what"] == what)]
    return row[["value", "low", "high"]].iloc[0]
