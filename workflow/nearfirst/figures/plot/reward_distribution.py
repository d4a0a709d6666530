"""Rewards of right and of wrong answers: drawing histograms and densities, caption."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst.common.text import counted
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import legend
from nearfirst.figures.plot.style import BAND_OPACITY, numbered_style, panels_of, style

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
        alpha=min(1.0, 2 * BAND_OPACITY) if is_filled else 1.0,
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
    count = {key: value for key, (value, _, _) in _numbers(table).items()}
    return [
        f"{count['right', 'count'] + count['wrong', 'count']:,.0f} answers of "
        f"{count['both', 'seeds']:.0f} runs at {count['both', 'checkpoints']:.0f} checkpoints to "
        f"{count['both', 'instances']:,.0f} test instances; {count['both', 'left_out']:,.0f} "
        "instances without a score or a reward are left out.",
        *(f"{text[0].upper()}{text[1:]}." for text in sentences(table)),
    ]


def sentences(table: pd.DataFrame) -> list[str]:
    """Return overlap and AUC, and which density is missing."""
    numbers = _numbers(table)
    level = f"{100 * table['confidence'].max():g}%"
    result = []
    for what, name in (("overlap", "overlap"), ("auc", "AUC")):
        value, low, high = numbers["both", what]
        if np.isfinite(value):
            interval = f" ({level} interval {low:.2f} to {high:.2f})" if np.isfinite(low) else ""
            result.append(f"{name} {value:.2f}{interval}")
    for group in GROUPS:
        if not ((table["group"] == group) & (table["what"] == "density")).any():
            result.append(
                f"no density of {_size(table, group)}: it needs "
                f"{numbers['both', 'min_answers'][0]:.0f} answers to "
                f"{numbers['both', 'min_instances'][0]:.0f} prompts, and different rewards"
            )
    return result


def _size(table: pd.DataFrame, group: str) -> str:
    """Return the number of answers in a group, and of prompts."""
    numbers = _numbers(table)
    answers, prompts = (int(numbers[group, what][0]) for what in ("count", "instances"))
    return f"{counted(answers, f'{group} answer')} to {counted(prompts, 'prompt')}"


def _numbers(table: pd.DataFrame) -> dict[tuple[str, str], list[float]]:
    """Return value, low and high of what is a single number, by group and name."""
    rows = table[~table["what"].isin(["histogram", "density"])]
    values = rows[["value", "low", "high"]].to_numpy().tolist()
    return dict(zip(zip(rows["group"], rows["what"], strict=True), values, strict=True))
