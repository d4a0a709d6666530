"""Curves against the training step: drawing, and caption."""

from collections.abc import Collection, Mapping, Sequence
from itertools import count

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nearfirst.common.text import span
from nearfirst.embed.texts import EMBEDDED
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import legend
from nearfirst.figures.plot.legend import Curve, single_runs
from nearfirst.figures.plot.style import (
    BAND_OPACITY,
    PLOT,
    Panels,
    give_titles,
    name_x,
    numbered_style,
    panels_of,
    style,
    wrapped,
)
from nearfirst.metrics import SCORE_NAMES

SEVERAL = "Similarity distance"
"""Name of an axis that several measures share."""
MAX_LISTED = 6
"""Maximum number of names that a caption lists; more are only counted."""


def draw(table: pd.DataFrame, look: LookSettings, series: str = "arrangement") -> Figure:
    """Draw means against step with their intervals.

    There is a panel for each value of `panel`, and a curve for each value of the column `series`
    and each quantity. In a panel with the loss and other quantities, these have an axis on the
    right. Columns of single runs are drawn as thin lines in place of the interval.
    """
    mixed = (table.groupby("panel")["quantity"].nunique() > 1).any()
    key = [series, "quantity"] if mixed else [series]
    parts = {str(name): part for name, part in table.groupby("panel", sort=False)}
    names = legend.names(table, key, look)
    shown = [{curve for curve, _ in part.groupby(key)} for part in parts.values()]
    styles = _assign_styles(list(names), shown, look)
    with style(look, len(parts)):
        panels = panels_of(look, len(parts))
        lines = [
            _draw_panel(axes, part, key, styles, look)
            for axes, part in zip(panels.axes, parts.values(), strict=True)
        ]
        # Levels of one quantity of one task can be compared between panels.
        if table["quantity"].nunique() == table.get("task", table["quantity"]).nunique() == 1:
            limits = np.array([axes.get_ylim() for axes in panels.axes])
            for axes in panels.axes:
                axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        _tidy_y(panels)
        # The title of a panel named after its quantity would repeat the label of its axis.
        titles = [
            "" if name in set(part["quantity"]) else look.legend.get(name, name)
            for name, part in parts.items()
        ]
        give_titles(panels, titles)
        name_x(panels, look.x_label)
        first, last = table["step"].min(), table["step"].max()
        for axes in panels.axes if first < last else ():
            axes.set_xlim(first, last)
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        entries = [[(drawn[key], names[key]) for key in names if key in drawn] for drawn in lines]
        # One legend if all panels show the same curves, else one for each, beside its data.
        is_shared = all(drawn.keys() == lines[0].keys() for drawn in lines)
        legend.above(panels, entries[0] if is_shared else [], legend.heading(table))
        if not is_shared:
            legend.below(panels, entries)
    return panels.figure


def _assign_styles(
    curves: Sequence[Curve], panels: Sequence[Collection[Curve]], look: LookSettings
) -> dict[Curve, int]:
    """Return the number of each curve's style: that of its label, or the next free one.

    A curve looks the same in all panels. If no curve is in two panels, each panel starts again.
    """
    if sum(map(len, panels)) > len(curves):
        panels = [curves]
    styles: dict[Curve, int] = {}
    for panel in panels:
        in_panel = [curve for curve in curves if curve in panel]
        reserved: dict[Curve, int] = {}
        for curve in in_panel:
            i = look.places.get(str(curve[0]))
            if i is not None and curve[1:] in ((), ("loss",)) and i not in reserved.values():
                reserved[curve] = i
        free = (i for i in count() if i not in reserved.values())
        for curve in in_panel:
            styles[curve] = reserved[curve] if curve in reserved else next(free)
    return styles


def _draw_panel(
    axes: Axes, panel: pd.DataFrame, key: list[str], styles: Mapping[Curve, int], look: LookSettings
) -> dict[Curve, Line2D]:
    """Draw the curves of a panel and label its y axes."""
    quantities = list(dict.fromkeys(panel["quantity"]))
    right = [name for name in quantities if name != "loss"] if "loss" in quantities else []
    right_axes = axes.twinx() if right else axes
    lines: dict[Curve, Line2D] = {}
    for curve, part in panel.groupby(key, sort=False):
        part = part.sort_values("step")
        line_style = numbered_style(look, styles[curve])
        color = line_style["color"]
        target = right_axes if part["quantity"].iat[0] in right else axes
        runs = single_runs(part) if part["n"].max() > 1 else []
        for run in runs:
            target.plot(part["step"], part[run], color=color, linewidth=0.5, alpha=0.6)
        if not runs:
            bounds = part["step"], part["low"], part["high"]
            band = {"color": color, "alpha": BAND_OPACITY, "linewidth": 0}
            target.fill_between(*bounds, **band)
            if len(part) == 1:  # the band of a single step has no width
                target.vlines(*bounds, color=color, linewidth=1)
        every = max(1, len(part) // 10)
        (lines[curve],) = target.plot(
            part["step"], part["mean"], markevery=every, clip_on=False, **line_style
        )
    _label_y(axes, [name for name in quantities if name not in right], look)
    if right:
        right_axes.grid(False)
        right_axes.spines["right"].set_visible(True)
        _label_y(right_axes, right, look)
    return lines


def _label_y(axes: Axes, quantities: Sequence[str], look: LookSettings) -> None:
    name = quantities[0]
    label = look.y_label if name == "loss" else look.quantities.get(name, name)
    axes.set_ylabel(label if len(quantities) == 1 else SEVERAL)


def _tidy_y(panels: Panels) -> None:
    """Label only the outer y axes if all panels have the same label; wrap to a panel's height."""
    last = len(panels.axes) - 1
    right = [axes for axes in panels.figure.axes if axes not in panels.axes]
    for side, outer in ((panels.axes, 0), (right, panels.columns - 1)):
        if len(side) > last and len({axes.get_ylabel() for axes in side}) == 1:
            for i, axes in enumerate(side):
                if i % panels.columns != outer and not (outer and i == last):
                    axes.set_ylabel("")
    height = PLOT * panels.figure.get_figheight() / panels.rows
    for axes in panels.figure.axes:
        axes.set_ylabel(wrapped(axes.get_ylabel(), height, float(mpl.rcParams["font.size"])))


def facts(table: pd.DataFrame, series: str) -> list[str]:
    """Return the facts of the caption: seeds, test instances, tasks, last step."""
    sentences = []
    is_single = table["n"] == 1
    if is_single.all():
        sentences.append("Each curve is one run, without an interval.")
    else:
        seeds, level = span(table.loc[~is_single, "n"]), f"{100 * table['confidence'].max():g}%"
        runs = single_runs(table)
        around = "thin lines single runs" if runs else f"bands their {level} intervals"
        sentences.append(f"Curves are means over {seeds} seeds, {around}.")
        if is_single.any():
            without = "" if runs else ", without an interval"
            sentences.append(f"One run{without}: {_listed(table.loc[is_single, series])}.")
    if "instances" in table:
        sentences.append(f"Test instances per curve: {span(table['instances'])}.")
    if "left_out" in table and table["left_out"].max() > 0:
        reasons = "truncation removed their answer"
        if not {"score", *SCORE_NAMES}.isdisjoint(table["quantity"]):
            reasons += " or they have no reference"
        sentences.append(f"Test instances left out because {reasons}: {span(table['left_out'])}.")
    if "without_label" in table and table["without_label"].max() > 0:
        sentences.append(
            "Training instances that taught nothing, because truncation removed their labels: "
            f"{span(table['without_label'])} of {span(table['trained'])}."
        )
    if "rounds" in table and table["rounds"].max() > 0:
        sentences.append(f"Rounds of TMA in the pool: {span(table['rounds'].replace(0, np.nan))}.")
    if "embedded" in table:
        counts = {key: span(table[key]) for key in ("embedded", "cut", "distinct")}
        sentences.append(EMBEDDED.format(**counts))
    if "task" in table and (tasks := table.loc[table["task"] != "", "task"]).size:
        sentences.append(f"Unseen tasks shown: {_listed(tasks)}.")
    if "rate_sum" in table:
        rates = [
            f"{name}, {row['schedule']} with the sum {row['rate_sum']:.4g}, of which the first "
            f"fifth of the steps has {row['first_share']:.1%} and the last {row['last_share']:.1%}"
            for name, row in table.groupby("panel", sort=False).first().iterrows()
        ]
        sentences.append(f"Learning rates: {'; '.join(rates)}.")
    sentences.append(f"Last step: {span(table.groupby(['panel', series])['step'].max())}.")
    return sentences


def _listed(values: "pd.Series[str]") -> str:
    """Return the different values, or their number if there are many."""
    names = list(dict.fromkeys(values))
    return ", ".join(names) if len(names) <= MAX_LISTED else str(len(names))
