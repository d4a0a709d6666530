"""The figure of an exploration: distances, test tasks, rounds and duplicates."""

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nearfirst.explore.read import (
    MEASURES,
    cumulative_shares,
    leak_warning,
    number,
    panel_letters,
    panel_rows,
    task_table,
)
from nearfirst.explore.settings import KINDS
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import (
    BAND_OPACITY,
    CHARACTER,
    LINE,
    numbered_style,
    style,
    taller,
    wrapped,
)

MAX_TASKS = 20
"""Tasks shown; if there are more, the nearest and the farthest."""
MAX_NAME = 36
"""Characters shown of a task's name; of a longer one, its beginning and its end."""
PANEL_CHARACTERS, PANEL_LINES = 38, 14
"""Characters across a panel, and lines of text from its title to its axis label."""
HANDLE = 6
"""Width, in characters, of a legend handle and the gaps around it."""
SIDES = {"train": "each training instance", "test": "each test instance"}
NEAR_STYLE: dict[str, Any] = {"color": "0.3", "linestyle": ":", "linewidth": 1.2}


def draw_exploration(table: pd.DataFrame, look: LookSettings) -> Figure:
    """Draw the table that `read_exploration` returns, without panels that would be empty."""
    with style(look, 4):
        points = float(mpl.rcParams["font.size"])
        line = LINE * points / 72
        # A panel is wide enough for its text.
        panel = max(look.panel_width, PANEL_CHARACTERS * CHARACTER * points / 72)
        letters = panel_letters(table)
        others = [name for name in letters if name != "tasks"]
        if "tasks" in letters:
            tasks = [_shorten(task, look) for task in _select_tasks(table)["task"]]
            longest = max(map(len, tasks))
            widths = [panel, panel + (longest * CHARACTER + HANDLE) * (points - 1) / 72]
            lines = max(len(others) * PANEL_LINES, len(tasks) + PANEL_LINES)
            height = max(len(others) * look.panel_height, lines * line)
            mosaic = [[name, "tasks"] for name in others]
        else:
            widths, mosaic = [panel] * len(others), [others]
            height = max(look.panel_height, PANEL_LINES * line)
        figure = Figure(figsize=(sum(widths), height), layout="constrained")
        panels: dict[str, Axes] = figure.subplot_mosaic(mosaic, width_ratios=widths)  # type: ignore[arg-type]
        for name, letter in letters.items():
            title, x, y = DRAW[name](panels[name], table, look)
            width = widths[-1] if name == "tasks" else panel
            panels[name].set_title(wrapped(f"({letter}) {title}", 0.7 * width, points))
            panels[name].set_xlabel(wrapped(x, 0.7 * panel, points))
            panels[name].set_ylabel(wrapped(y, 0.7 * panel, points))
        _add_legend(figure, table, look)
        if warning := leak_warning(table):
            text = wrapped(warning, sum(widths), points)
            taller(figure, (text.count("\n") + 2) * line)
            figure.suptitle(text, fontsize=points, fontweight="bold")
    return figure


Labels = tuple[str, str, str]
"""The title of a panel, and the labels of its axes."""


def _draw_distances(axes: Axes, table: pd.DataFrame, look: LookSettings) -> Labels:
    """Draw the histograms of the distances to the nearest instance of the other side."""
    rows = panel_rows(table, "distance")
    for side in SIDES:
        bars = rows[rows["what"] == side].sort_values("x")
        edges = np.append(bars["x"], bars["x"].iloc[-1:] + bars["width"].iloc[-1:])
        shares = bars["value"] / bars["n"]
        axes.stairs(shares, edges, fill=side == "train", **_bar_style(look, side))
    _mark_near(axes, table)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    title = "Distance to the nearest instance of the other set"
    return title, MEASURES[table["measure"].iloc[0]], "Share of instances"


def _draw_tasks(axes: Axes, table: pd.DataFrame, look: LookSettings) -> Labels:
    """Draw the distances of each test task, nearest first, and how many have near data."""
    tasks = _select_tasks(table)
    y = tasks["y"].to_numpy()
    main_style = numbered_style(look, 0)
    axes.hlines(y, tasks["min"], tasks["max"], color=main_style["color"], linewidth=0.8)
    axes.hlines(y, tasks["q25"], tasks["q75"], color=main_style["color"], linewidth=2.8)
    is_far = (tasks["near_test"] == 0).to_numpy()
    for mask, marker_style in ((~is_far, {}), (is_far, _far_style(look))):
        dots = {**main_style, "linestyle": "none", "zorder": 3, **marker_style}
        axes.plot(tasks["median"][mask], y[mask], **dots)
    _mark_near(axes, table)
    if hidden := tasks["hidden"].iloc[0]:
        gap = (set(range(len(tasks) + 1)) - set(y)).pop()
        _write_in_row(axes, 0.5, gap, f"{hidden:,} tasks between", ha="center", style="italic")
    if tasks["near_test"].notna().all():
        for row in tasks.itertuples():
            _write_in_row(axes, 1.02, row.y, f"{row.near_test:,.0f}/{row.n:,.0f}")
        _write_in_row(axes, 1.02, -1, "within")
    names = [_shorten(task, look) for task in tasks["task"]]
    axes.set_yticks(y, names, fontsize=mpl.rcParams["legend.fontsize"])
    axes.set_ylim(max(y) + 0.7, -1.5)
    title = "Test instances, by task, to the nearest training instance"
    return title, MEASURES[table["measure"].iloc[0]], ""


def _draw_rounds(axes: Axes, table: pd.DataFrame, look: LookSettings) -> Labels:
    """Draw which share of the pool the rounds hold."""
    rounds = cumulative_shares(table)
    color = numbered_style(look, 0)["color"]
    axes.plot([0, *rounds["x"]], [0, *rounds["share"]], color=color, drawstyle="steps-post")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, rounds["x"].max() + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return "Rounds of TMA", "Round, nearest first", "Share of the pool so far"


def _draw_duplicates(axes: Axes, table: pd.DataFrame, look: LookSettings) -> Labels:
    """Draw which share of each side is in a pair, for each kind that has pairs."""
    pairs = panel_rows(table, "pairs").set_index("what")["value"]
    kinds = [kind for kind in KINDS if pairs[kind]]
    y = np.arange(len(kinds))
    right = 0.0
    for side, offset in (("train", -0.2), ("test", 0.2)):
        rows = panel_rows(table, f"pairs_{side}").set_index("what").loc[kinds]
        widths = rows["value"] / rows["n"]
        right = max(right, 1.35 * widths.max())
        bars = axes.barh(y + offset, widths, 0.36, **_bar_style(look, side))
        counts = [f"{count:,.0f}" for count in rows["value"]]
        axes.bar_label(bars, counts, padding=3, fontsize=mpl.rcParams["legend.fontsize"])
    axes.set_yticks(y, [kind.replace(" ", "\n") for kind in kinds])
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.set_xlim(0, right)
    ticks = np.asarray(MaxNLocator(2).tick_values(0, right))
    axes.set_xticks(ticks[ticks <= min(1, right)])
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=False, axis="y")
    return "In pairs of a training and a test instance", "Share of instances, and count", ""


DRAW: dict[str, Callable[[Axes, pd.DataFrame, LookSettings], Labels]] = {
    "distances": _draw_distances,
    "tasks": _draw_tasks,
    "rounds": _draw_rounds,
    "duplicates": _draw_duplicates,
}


def _add_legend(figure: Figure, table: pd.DataFrame, look: LookSettings) -> None:
    """Put a legend below the panels, and make the figure taller for it."""
    letters, main_style = panel_letters(table), numbered_style(look, 0)
    both = ", ".join(letters[name] for name in ("distances", "duplicates") if name in letters)
    entries: list[tuple[Any, str]] = [
        (Patch(**_bar_style(look, side)), f"{name} ({both})") for side, name in SIDES.items()
    ]
    if letter := letters.get("tasks"):
        line = Line2D([], [], **{**main_style, "linestyle": "-"})
        entries.append((line, f"median, quartiles, range ({letter})"))
        if (_select_tasks(table)["near_test"] == 0).any():
            dot = Line2D([], [], **{**main_style, "linestyle": "none", **_far_style(look)})
            entries.append((dot, f"median of a task with none within the dotted line ({letter})"))
    if np.isfinite(near := number(table, "near")):
        text = f"near, measured within the pool: up to {near:.3f}"
        entries.append((Line2D([], [], **NEAR_STYLE), text))
    points = float(mpl.rcParams["legend.fontsize"])
    widest = max(len(text) for _, text in entries) + HANDLE
    columns = max(1, int(figure.get_figwidth() * 72 / (widest * CHARACTER * points)))
    rows = -(-len(entries) // columns)
    taller(figure, (rows + 1) * LINE * points / 72)
    handles, texts = zip(*entries, strict=True)
    figure.legend(handles, texts, ncols=columns, loc="outside lower center")


def _select_tasks(table: pd.DataFrame) -> pd.DataFrame:
    """Return the tasks to show and their rows `y`; a gap stands for the `hidden` ones."""
    tasks = task_table(table)
    hidden = max(0, len(tasks) - MAX_TASKS)
    top = MAX_TASKS - MAX_TASKS // 2
    if hidden:
        tasks = pd.concat([tasks.head(top), tasks.tail(MAX_TASKS // 2)], ignore_index=True)
    y = np.arange(len(tasks))
    return tasks.assign(y=y + (y >= top) * bool(hidden), hidden=hidden)


def _bar_style(look: LookSettings, side: str) -> dict[str, Any]:
    """Return the style of a side's bars: filled or outlined, to differ in grey too."""
    if side == "train":
        return {"color": numbered_style(look, 0)["color"], "alpha": min(1.0, 2 * BAND_OPACITY)}
    return {"edgecolor": numbered_style(look, 1)["color"], "facecolor": "none", "linewidth": 1.0}


def _far_style(look: LookSettings) -> dict[str, Any]:
    """Return the marker style of a task without near data."""
    return {
        "color": numbered_style(look, 2)["color"],
        "marker": numbered_style(look, 1)["marker"],
        "markerfacecolor": "white",
        "markersize": 1.5 * float(mpl.rcParams["lines.markersize"]),
    }


def _mark_near(axes: Axes, table: pd.DataFrame) -> None:
    if np.isfinite(near := number(table, "near")):
        axes.axvline(near, **NEAR_STYLE)


def _write_in_row(axes: Axes, x: float, y: Any, text: str, **text_style: Any) -> None:
    """Write small text in row `y`, at the share `x` of the panel's width."""
    size = mpl.rcParams["legend.fontsize"]
    transform = axes.get_yaxis_transform()
    axes.text(x, y, text, transform=transform, va="center", size=size, **text_style)


def _shorten(task: str, look: LookSettings) -> str:
    """Return the displayed name of a task, on one line."""
    name = " ".join(look.legend.get(task, task).split())
    half = MAX_NAME // 2
    return name if len(name) <= MAX_NAME else f"{name[: half - 1]}…{name[-half:]}"
