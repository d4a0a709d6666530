"""What a pool and a test set hold: four panels of one figure."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nearfirst.explore.caption import (
    KINDS,
    MEASURES,
    number,
    of,
    shares,
    tasks,
    warnings,
)
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import CHARACTER, LINE, style, taller, turn, wrapped

SHOWN = 20
"""Most tasks that are shown."""
LONGEST = 36
"""Characters of a task's name that are shown: of a longer one, its beginning and its end."""
LETTERS, WORDS = 38, 14
"""Characters across a panel, and lines of text from its title to the name of its axis."""
HANDLE = 6
"""Characters that the sample of a legend's entry and the gaps around it are wide."""
SIDES = {"train": "each training instance", "test": "each test instance"}


def draw_exploration(table: pd.DataFrame, look: LookSettings, most: int = SHOWN) -> Figure:
    """Draw distances, test tasks, rounds and duplicates.

    Parameters
    ----------
    table
        As `read_exploration` returns it.
    look
        Sizes, colours, line styles.
    most
        Most tasks that are shown: of more, the nearest and the farthest ones.
    """
    with style(look, 4):
        points = float(mpl.rcParams["font.size"])
        shown = _shown(table, most)
        # A panel is not smaller than its words need.
        panel = max(look.panel_width, LETTERS * CHARACTER * points / 72)
        rows = max(3 * WORDS, len(shown) + WORDS)
        height = max(3 * look.panel_height, rows * LINE * points / 72)
        names = max(len(_name(task, look)) for task in shown["task"])
        width = 2 * panel + (names * CHARACTER + HANDLE) * (points - 1) / 72
        figure = Figure(figsize=(width, height), layout="constrained")
        ratios = [panel, width - panel]
        panels = figure.subplot_mosaic(
            [["a", "b"], ["c", "b"], ["d", "b"]], gridspec_kw={"width_ratios": ratios}
        )
        _distances(panels["a"], table, look)
        _tasks(panels["b"], table, look, shown)
        _rounds(panels["c"], table, look)
        _duplicates(panels["d"], table, look)
        _legend(figure, table, look, shown)
        if said := warnings(table):
            text = wrapped(f"Warning: {'; '.join(said)}", width, points)
            taller(figure, (text.count("\n") + 2) * LINE * points / 72)
            figure.suptitle(text, fontsize=points, fontweight="bold")
    return figure


def _patch(look: LookSettings, side: str) -> dict[str, Any]:
    """Return how the bars of a side look: filled, or an outline, so that they differ in grey."""
    if side == "train":
        return {"color": turn(look, 0)["color"], "alpha": min(1.0, 2 * look.band_opacity)}
    return {"edgecolor": turn(look, 1)["color"], "facecolor": "none", "linewidth": 1.0}


def _mark_near(axes: Axes, table: pd.DataFrame) -> None:
    near = number(table, "about", "near")
    if np.isfinite(near):
        axes.axvline(near, color="0.3", linestyle=":", linewidth=1.2)


def _distances(axes: Axes, table: pd.DataFrame, look: LookSettings) -> None:
    """Draw the histograms of the distances to the nearest instance of the other side."""
    for side in SIDES:
        bars = table[of(table, "distance") & (table["what"] == side)].sort_values("x")
        edges = np.append(bars["x"], bars["x"].iloc[-1:] + bars["width"].iloc[-1:])
        looks = _patch(look, side)
        axes.stairs(bars["value"] / bars["n"], edges, fill=side == "train", **looks)
    _mark_near(axes, table)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    title = "(a) Distance to the nearest instance of the other set"
    _name_all(axes, look, title, _distance(table), "Share of instances")


def _shown(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the tasks that are shown, and where: what is left out leaves a gap in the middle."""
    every = tasks(table).assign(place=lambda its: np.arange(len(its)), left_out=0)
    if len(every) <= most:
        return every
    ends = every.head(most - most // 2), every.tail(most // 2)
    shown = pd.concat([ends[0], ends[1].assign(place=1)], ignore_index=True)
    return shown.assign(
        place=np.arange(most) + (shown.index >= len(ends[0])), left_out=len(every) - most
    )


def _tasks(axes: Axes, table: pd.DataFrame, look: LookSettings, shown: pd.DataFrame) -> None:
    """Draw the distances of each test task, nearest first, and say how many have near data."""
    places = shown["place"].to_numpy()
    looks = turn(look, 0)
    axes.hlines(places, shown["min"], shown["max"], color=looks["color"], linewidth=0.8)
    axes.hlines(places, shown["q25"], shown["q75"], color=looks["color"], linewidth=2.8)
    without = (shown["near_test"] == 0).to_numpy()
    for which, more in ((~without, {}), (without, _open(look))):
        dots = {**looks, "linestyle": "none", "zorder": 3, **more}
        axes.plot(shown["median"][which], places[which], **dots)
    _mark_near(axes, table)
    if left_out := shown["left_out"].iloc[0]:
        free = (set(range(len(shown) + 1)) - set(places)).pop()
        _beside(axes, 0.5, free, f"{left_out:,} tasks between", ha="center", style="italic")
    if shown["near_test"].notna().all():
        for place, row in zip(places.tolist(), shown.itertuples(), strict=True):
            _beside(axes, 1.02, place, f"{row.near_test:,.0f}/{row.n:,.0f}")
        _beside(axes, 1.02, -1, "near")
    names = [_name(task, look) for task in shown["task"]]
    axes.set_yticks(places, names, fontsize=mpl.rcParams["legend.fontsize"])
    axes.set_ylim(max(places) + 0.7, -1.5)
    title = "(b) Test instances, by task, to the nearest training instance"
    _name_all(axes, look, title, _distance(table))


def _open(look: LookSettings) -> dict[str, Any]:
    """Return how the marker of a task without near data differs."""
    return {
        "color": turn(look, 2)["color"],
        "marker": turn(look, 1)["marker"],
        "markerfacecolor": "white",
        "markersize": 1.5 * float(mpl.rcParams["lines.markersize"]),
    }


def _beside(axes: Axes, x: float, place: float, text: str, **how: Any) -> None:
    """Write small text in a row, at a share of the panel's width."""
    size = mpl.rcParams["legend.fontsize"]
    axes.text(x, place, text, transform=axes.get_yaxis_transform(), va="center", size=size, **how)


def _name(task: str, look: LookSettings) -> str:
    """Return the name of a task in one short line."""
    name = " ".join(look.legend.get(task, task).split())
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[: half - 1]}…{name[-half:]}"


def _rounds(axes: Axes, table: pd.DataFrame, look: LookSettings) -> None:
    """Draw which share of the pool the rounds hold."""
    its = shares(table)
    color = turn(look, 0)["color"]
    axes.plot([0, *its["x"]], [0, *its["share"]], color=color, drawstyle="steps-post")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, its["x"].max() + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    _name_all(axes, look, "(c) Rounds of TMA", "Round, nearest first", "Share of the pool so far")


def _duplicates(axes: Axes, table: pd.DataFrame, look: LookSettings) -> None:
    """Draw which share of either side is in a pair of each kind."""
    places = np.arange(len(KINDS))
    longest = 0.0
    for side, offset in (("train", -0.2), ("test", 0.2)):
        counts = [number(table, f"pairs_{side}", kind) for kind in KINDS]
        size = number(table, f"pairs_{side}", "any", "n")
        widths = np.array(counts) / size
        longest = max(longest, *widths)
        axes.barh(places + offset, widths, 0.36, **_patch(look, side))
        for place, width, count in zip(places + offset, widths, counts, strict=True):
            axes.annotate(
                *(f"{count:,.0f}", (width, place), (3, 0)),
                textcoords="offset points",
                va="center",
                fontsize=mpl.rcParams["legend.fontsize"],
            )
    axes.set_yticks(places, [kind.replace(" ", "\n") for kind in KINDS])
    axes.set_ylim(len(KINDS) - 0.5, -0.5)
    right = 1.35 * longest or 0.01
    axes.set_xlim(0, right)
    ticks = np.asarray(MaxNLocator(2).tick_values(0, right))
    axes.set_xticks(ticks[ticks <= min(1, right)])
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=False, axis="y")
    title = "(d) In pairs of a training and a test instance"
    _name_all(axes, look, title, "Share of instances, and count")


def _distance(table: pd.DataFrame) -> str:
    """Return the name of the axis of distances."""
    name = MEASURES[table["measure"].iloc[0]]
    return f"{name[0].upper()}{name[1:]}"


def _name_all(axes: Axes, look: LookSettings, title: str, x: str, y: str = "") -> None:
    """Name a panel and its axes, in as many lines as it takes."""
    points = float(mpl.rcParams["font.size"])
    room = 0.7 * max(look.panel_width, LETTERS * CHARACTER * points / 72)
    axes.set_title(wrapped(title, room, points))
    axes.set_xlabel(wrapped(x, room, points))
    axes.set_ylabel(wrapped(y, room, points))


def _legend(figure: Figure, table: pd.DataFrame, look: LookSettings, shown: pd.DataFrame) -> None:
    """Say below the panels what is what, and make room for it."""
    looks = turn(look, 0)
    entries: list[tuple[Any, str]] = [
        (Patch(**_patch(look, side)), f"{name} (a, d)") for side, name in SIDES.items()
    ]
    entries.append((Line2D([], [], **{**looks, "linestyle": "-"}), "median, quartiles, range (b)"))
    if (shown["near_test"] == 0).any():
        hollow = Line2D([], [], **{**looks, "linestyle": "none", **_open(look)})
        entries.append((hollow, "median of a task without near data (b)"))
    if np.isfinite(near := number(table, "about", "near")):
        dots = Line2D([], [], color="0.3", linestyle=":", linewidth=1.2)
        entries.append((dots, f"near: up to {near:.3f}"))
    points = float(mpl.rcParams["legend.fontsize"])
    widest = max(len(text) for _, text in entries) + HANDLE
    columns = max(1, int(figure.get_figwidth() * 72 / (widest * CHARACTER * points)))
    rows = -(-len(entries) // columns)
    taller(figure, (rows + 1) * LINE * points / 72)
    handles, texts = zip(*entries, strict=True)
    figure.legend(handles, texts, ncols=columns, loc="outside lower center")
