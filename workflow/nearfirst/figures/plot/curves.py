"""Curves against the training step: read, drawn, and described in the caption."""

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nearfirst.common.csv import read_csv
from nearfirst.common.text import span
from nearfirst.embed.texts import EMBEDDED
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot import legend
from nearfirst.figures.plot.legend import Curve, single_runs
from nearfirst.figures.plot.style import Panels, give_titles, name_x, panels_of, style, turn, wrap_y
from nearfirst.metrics import SCORE_NAMES

TEXT = ("arrangement", "dataset", "metric", "task", "test", "type", "panel", "quantity", "schedule")
"""Columns of names; all others hold numbers."""
MAX_LISTED = 6
"""Names that a caption lists; of more it gives the number."""


def read(path: Path, series: str) -> pd.DataFrame:
    """Read a table of curves; raises what `read_csv` raises.

    Columns panel and quantity are added where they are missing; columns seed_N hold single runs.
    """
    table = read_csv(path, (series, "step", "mean", "low", "high", "n", "confidence"), TEXT)
    return table.assign(panel=table.get("panel", ""), quantity=table.get("quantity", "loss"))


def draw(table: pd.DataFrame, look: LookSettings, series: str = "arrangement") -> Figure:
    """Draw means against step with their intervals.

    Each value of `panel` gives a panel, each value of `series` and quantity a curve. Where a panel
    shows the loss and other quantities, the others have their own axis on the right. Where single
    runs are known, they are thin lines in place of the interval.

    Parameters
    ----------
    table
        As `read` returns it; NaN bounds draw no band.
    series
        The column that tells the curves of a panel apart.
    """
    mixed = (table.groupby("panel")["quantity"].nunique() > 1).any()
    key = [series, "quantity"] if mixed else [series]
    parts = {str(name): part for name, part in table.groupby("panel", sort=False)}
    names = legend.names(table, key, look)
    shown = [{curve for curve, _ in part.groupby(key)} for part in parts.values()]
    places = _places(list(names), shown, look)
    with style(look, len(parts)):
        panels = panels_of(look, len(parts))
        lines = [
            _draw(axes, part, key, places, look)
            for axes, part in zip(panels.axes, parts.values(), strict=True)
        ]
        if _is_one_thing(table):
            _share_y(panels)
        _tidy_y(panels)
        # A panel of one quantity is named by its axis.
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
        _place_legends(panels, lines, names, legend.heading(table))
    return panels.figure


def _places(
    curves: Sequence[Curve], panels: Sequence[Collection[Curve]], look: LookSettings
) -> dict[Curve, int]:
    """Return the number of each curve's style: its label's, or the next that is free.

    A curve looks the same in all panels. If no curve is in two panels, each panel starts again.
    """
    if sum(map(len, panels)) > len(curves):
        panels = [curves]
    found: dict[Curve, int] = {}
    for panel in panels:
        its: dict[Curve, int] = {}
        for curve in (curve for curve in curves if curve in panel):
            place = look.places.get(str(curve[0]))
            if place is not None and curve[1:] in ((), ("loss",)) and place not in its.values():
                its[curve] = place
        free = (place for place in count() if place not in set(its.values()))
        found |= {
            curve: its[curve] if curve in its else next(free) for curve in curves if curve in panel
        }
    return found


def _draw(
    axes: Axes,
    panel: pd.DataFrame,
    key: list[str],
    places: Mapping[Curve, int],
    look: LookSettings,
) -> dict[Curve, Line2D]:
    """Draw the curves of a panel and label its y axes."""
    quantities = list(dict.fromkeys(panel["quantity"]))
    right = [name for name in quantities if name != "loss"] if "loss" in quantities else []
    other = axes.twinx() if right else axes
    lines: dict[Curve, Line2D] = {}
    for curve, part in panel.groupby(key, sort=False):
        part = part.sort_values("step")
        looks = turn(look, places[curve])
        on = other if part["quantity"].iat[0] in right else axes
        runs = single_runs(part) if part["n"].max() > 1 else []
        for run in runs:
            on.plot(part["step"], part[run], color=looks["color"], linewidth=0.5, alpha=0.6)
        if not runs:
            band = {"color": looks["color"], "alpha": look.band_opacity, "linewidth": 0}
            on.fill_between(part["step"], part["low"], part["high"], **band)
        if not runs and len(part) == 1:  # of one step a band has no width
            on.vlines(part["step"], part["low"], part["high"], color=looks["color"], linewidth=1)
        every = max(1, len(part) // 10)
        (lines[curve],) = on.plot(
            part["step"], part["mean"], markevery=every, clip_on=False, **looks
        )
    _name_y(axes, [name for name in quantities if name not in right], look)
    if right:
        other.grid(False)
        other.spines["right"].set_visible(True)
        _name_y(other, right, look)
    return lines


def _is_one_thing(table: pd.DataFrame) -> bool:
    """Return whether all panels show one quantity of one task, so that levels can be compared."""
    return table["quantity"].nunique() == 1 and table.get("task", table["quantity"]).nunique() == 1


def _share_y(panels: Panels) -> None:
    """Give all panels the same y axis."""
    limits = np.array([axes.get_ylim() for axes in panels.axes])
    for axes in panels.axes:
        axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())


def _name_y(axes: Axes, quantities: Sequence[str], look: LookSettings) -> None:
    name = quantities[0]
    if len(quantities) > 1:
        label = look.distance_label
    elif name == "loss":
        label = look.y_label
    else:
        label = look.quantities.get(name, name)
    axes.set_ylabel(label)


def _tidy_y(panels: Panels) -> None:
    """Label only the outer y axes if all panels have the same label, and wrap the labels."""
    last = len(panels.axes) - 1
    others = [axes for axes in panels.figure.axes if axes not in panels.axes]
    for side, outer in ((panels.axes, 0), (others, panels.columns - 1)):
        if len(side) > last and len({axes.get_ylabel() for axes in side}) == 1:
            for at, axes in enumerate(side):
                if at % panels.columns != outer and not (outer and at == last):
                    axes.set_ylabel("")
    wrap_y(panels)


def _place_legends(
    panels: Panels,
    lines: Sequence[Mapping[Curve, Line2D]],
    names: Mapping[Curve, str],
    heading: str,
) -> None:
    """Draw one legend if all panels show the same curves, else one for each; none covers data."""
    entries = [[(its[curve], names[curve]) for curve in names if curve in its] for its in lines]
    if any(its.keys() != lines[0].keys() for its in lines):
        legend.above(panels, [], heading)
        legend.below(panels, entries)
    else:
        legend.above(panels, entries[0], heading)


def facts(table: pd.DataFrame, series: str) -> list[str]:
    """Return what the caption says of the curves: seeds, test instances, tasks, last step."""
    found = []
    one = table["n"] == 1
    if one.all():
        found.append("Each curve is one run, without an interval.")
    else:
        seeds, level = span(table.loc[~one, "n"]), f"{100 * table['confidence'].max():g}%"
        runs = single_runs(table)
        around = "thin lines single runs" if runs else f"bands their {level} intervals"
        found.append(f"Curves are means over {seeds} seeds, {around}.")
        if one.any():
            without = "" if runs else ", without an interval"
            found.append(f"One run{without}: {_listed(table.loc[one, series])}.")
    if "instances" in table:
        found.append(f"Test instances per curve: {span(table['instances'])}.")
    if "left_out" in table and table["left_out"].max() > 0:
        reasons = "truncation removed their answer"
        if not {"score", *SCORE_NAMES}.isdisjoint(table["quantity"]):
            reasons += " or they have no reference"
        found.append(f"Test instances left out because {reasons}: {span(table['left_out'])}.")
    if "without_label" in table and table["without_label"].max() > 0:
        found.append(
            "Training instances that taught nothing, because truncation removed their labels: "
            f"{span(table['without_label'])} of {span(table['trained'])}."
        )
    if "rounds" in table and table["rounds"].max() > 0:
        found.append(f"Rounds of TMA in the pool: {span(table['rounds'].replace(0, np.nan))}.")
    if "embedded" in table:
        of_pool = {key: span(table[key]) for key in ("embedded", "cut", "distinct")}
        found.append(EMBEDDED.format(**of_pool))
    if "task" in table and (tasks := table.loc[table["task"] != "", "task"]).size:
        found.append(f"Unseen tasks shown: {_listed(tasks)}.")
    if "rate_sum" in table:
        found.append(_doses(table))
    found.append(f"Last step: {span(table.groupby(['panel', series])['step'].max())}.")
    return found


def _doses(table: pd.DataFrame) -> str:
    """Return how the learning rates of each panel's runs are spread over their steps."""
    parts = [
        f"{name}, {row['schedule']} with the sum {row['rate_sum']:.4g}, of which the first fifth "
        f"of the steps has {row['first_share']:.1%} and the last {row['last_share']:.1%}"
        for name, row in table.groupby("panel", sort=False).first().iterrows()
    ]
    return f"Learning rates: {'; '.join(parts)}."


def _listed(values: "pd.Series[str]") -> str:
    """Return the different values, or their number if there are many."""
    names = list(dict.fromkeys(values))
    return ", ".join(names) if len(names) <= MAX_LISTED else str(len(names))
