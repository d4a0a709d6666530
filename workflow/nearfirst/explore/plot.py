"""The figure of an exploration: distances, test tasks, rounds and duplicates."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nearfirst.explore.read import MEASURES, leak, letters, number, of, shares, tasks, word
from nearfirst.explore.settings import KINDS
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import CHARACTER, LINE, style, taller, turn, wrapped

SHOWN = 20
"""Most tasks that are shown: of more, the nearest and the farthest ones."""
LONGEST = 36
"""Characters of a task's name that are shown: of a longer one, its beginning and its end."""
LETTERS, WORDS = 38, 14
"""Characters across a panel, and lines of text from its title to the name of its axis."""
HANDLE = 6
"""Width, in characters, of the sample of a legend's entry and the gaps around it."""
SIDES = {"train": "each training instance", "test": "each test instance"}
NEAR: dict[str, Any] = {"color": "0.3", "linestyle": ":", "linewidth": 1.2}


def draw_exploration(table: pd.DataFrame, look: LookSettings) -> Figure:
    """Draw the table that `read_exploration` returns, without panels that would be empty."""
    with style(look, 4):
        points = float(mpl.rcParams["font.size"])
        line = LINE * points / 72
        # A panel is not smaller than its words need.
        panel = max(look.panel_width, LETTERS * CHARACTER * points / 72)
        shown = _shown(table)
        names = letters(table)
        others = [name for name in names if name != "tasks"]
        if "tasks" in names:
            longest = max(len(_name(task, look)) for task in shown["task"])
            widths = [panel, panel + (longest * CHARACTER + HANDLE) * (points - 1) / 72]
            lines = max(len(others) * WORDS, len(shown) + WORDS)
            height = max(len(others) * look.panel_height, lines * line)
            mosaic = [[name, "tasks"] for name in others]
        else:
            widths, mosaic = [panel] * len(others), [others]
            height = max(look.panel_height, WORDS * line)
        figure = Figure(figsize=(sum(widths), height), layout="constrained")
        panels: dict[str, Axes] = figure.subplot_mosaic(mosaic, width_ratios=widths)  # type: ignore[arg-type]
        for name, letter in names.items():
            title, x, y = DRAW[name](panels[name], table, look, shown)
            width = widths[-1] if name == "tasks" else panel
            panels[name].set_title(wrapped(f"({letter}) {title}", 0.7 * width, points))
            panels[name].set_xlabel(wrapped(x, 0.7 * panel, points))
            panels[name].set_ylabel(wrapped(y, 0.7 * panel, points))
        _legend(figure, table, look, shown)
        if said := leak(table):
            text = wrapped(said, sum(widths), points)
            taller(figure, (text.count("\n") + 2) * line)
            figure.suptitle(text, fontsize=points, fontweight="bold")
    return figure


Names = tuple[str, str, str]
"""The title of a panel, and the names of its axes."""


def _distances(axes: Axes, table: pd.DataFrame, look: LookSettings, _: pd.DataFrame) -> Names:
    """Draw the histograms of the distances to the nearest instance of the other side."""
    every = of(table, "distance")
    for side in SIDES:
        bars = every[every["what"] == side].sort_values("x")
        edges = np.append(bars["x"], bars["x"].iloc[-1:] + bars["width"].iloc[-1:])
        looks = _patch(look, side)
        axes.stairs(bars["value"] / bars["n"], edges, fill=side == "train", **looks)
    _mark_near(axes, table)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    title = "Distance to the nearest instance of the other set"
    return title, MEASURES[table["measure"].iloc[0]], "Share of instances"


def _tasks(axes: Axes, table: pd.DataFrame, look: LookSettings, shown: pd.DataFrame) -> Names:
    """Draw the distances of each test task, nearest first, and how many have near data."""
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
        _beside(axes, 1.02, -1, "within")
    names = [_name(task, look) for task in shown["task"]]
    axes.set_yticks(places, names, fontsize=mpl.rcParams["legend.fontsize"])
    axes.set_ylim(max(places) + 0.7, -1.5)
    title = "Test instances, by task, to the nearest training instance"
    return title, MEASURES[table["measure"].iloc[0]], ""


def _rounds(axes: Axes, table: pd.DataFrame, look: LookSettings, _: pd.DataFrame) -> Names:
    """Draw which share of the pool the rounds hold."""
    its = shares(table)
    color = turn(look, 0)["color"]
    axes.plot([0, *its["x"]], [0, *its["share"]], color=color, drawstyle="steps-post")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(0, its["x"].max() + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return "Rounds of TMA", "Round, nearest first", "Share of the pool so far"


def _duplicates(axes: Axes, table: pd.DataFrame, look: LookSettings, _: pd.DataFrame) -> Names:
    """Draw which share of either side is in a pair of each kind that there is."""
    pairs = of(table, "pairs").set_index("what")["value"]
    kinds = [kind for kind in KINDS if pairs[kind]]
    places = np.arange(len(kinds))
    right = 0.0
    for side, offset in (("train", -0.2), ("test", 0.2)):
        its = of(table, f"pairs_{side}").set_index("what").loc[kinds]
        widths = its["value"] / its["n"]
        right = max(right, 1.35 * widths.max())
        bars = axes.barh(places + offset, widths, 0.36, **_patch(look, side))
        counts = [f"{count:,.0f}" for count in its["value"]]
        axes.bar_label(bars, counts, padding=3, fontsize=mpl.rcParams["legend.fontsize"])
    axes.set_yticks(places, [kind.replace(" ", "\n") for kind in kinds])
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.set_xlim(0, right)
    ticks = np.asarray(MaxNLocator(2).tick_values(0, right))
    axes.set_xticks(ticks[ticks <= min(1, right)])
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=False, axis="y")
    return "In pairs of a training and a test instance", "Share of instances, and count", ""


DRAW = {"distances": _distances, "tasks": _tasks, "rounds": _rounds, "duplicates": _duplicates}


def _legend(figure: Figure, table: pd.DataFrame, look: LookSettings, shown: pd.DataFrame) -> None:
    """Put a legend below the panels, and make the figure taller for it."""
    names, looks = letters(table), turn(look, 0)
    both = ", ".join(names[name] for name in ("distances", "duplicates") if name in names)
    entries: list[tuple[Any, str]] = [
        (Patch(**_patch(look, side)), f"{name} ({both})") for side, name in SIDES.items()
    ]
    if letter := names.get("tasks"):
        line = Line2D([], [], **{**looks, "linestyle": "-"})
        entries.append((line, f"median, quartiles, range ({letter})"))
        if (shown["near_test"] == 0).any():
            hollow = Line2D([], [], **{**looks, "linestyle": "none", **_open(look)})
            entries.append(
                (hollow, f"median of a task with none within the dotted line ({letter})")
            )
    if np.isfinite(near := number(table, "about", "near")):
        entries.append((Line2D([], [], **NEAR), _limit(table, near)))
    points = float(mpl.rcParams["legend.fontsize"])
    widest = max(len(text) for _, text in entries) + HANDLE
    columns = max(1, int(figure.get_figwidth() * 72 / (widest * CHARACTER * points)))
    rows = -(-len(entries) // columns)
    taller(figure, (rows + 1) * LINE * points / 72)
    handles, texts = zip(*entries, strict=True)
    figure.legend(handles, texts, ncols=columns, loc="outside lower center")


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the tasks that are shown, and their places: a gap stands for those left out."""
    every = tasks(table).assign(place=lambda its: np.arange(len(its)), left_out=0)
    if len(every) <= SHOWN:
        return every
    half = SHOWN // 2
    shown = pd.concat([every.head(SHOWN - half), every.tail(half)], ignore_index=True)
    gap = shown.index >= SHOWN - half
    return shown.assign(place=np.arange(SHOWN) + gap, left_out=len(every) - SHOWN)


def _patch(look: LookSettings, side: str) -> dict[str, Any]:
    """Return the style of a side's bars: filled or an outline, so that they differ in grey."""
    if side == "train":
        return {"color": turn(look, 0)["color"], "alpha": min(1.0, 2 * look.band_opacity)}
    return {"edgecolor": turn(look, 1)["color"], "facecolor": "none", "linewidth": 1.0}


def _open(look: LookSettings) -> dict[str, Any]:
    """Return the style of the marker of a task without near data."""
    return {
        "color": turn(look, 2)["color"],
        "marker": turn(look, 1)["marker"],
        "markerfacecolor": "white",
        "markersize": 1.5 * float(mpl.rcParams["lines.markersize"]),
    }


def _limit(table: pd.DataFrame, near: float) -> str:
    given = word(table, "near") == "given"
    return f"{'near, as given' if given else 'near by the pool itself'}: up to {near:.3f}"


def _mark_near(axes: Axes, table: pd.DataFrame) -> None:
    if np.isfinite(near := number(table, "about", "near")):
        axes.axvline(near, **NEAR)


def _beside(axes: Axes, x: float, place: float, text: str, **how: Any) -> None:
    """Write small text in a row, at a share of the panel's width."""
    size = mpl.rcParams["legend.fontsize"]
    axes.text(x, place, text, transform=axes.get_yaxis_transform(), va="center", size=size, **how)


def _name(task: str, look: LookSettings) -> str:
    """Return the name of a task in one short line."""
    name = " ".join(look.legend.get(task, task).split())
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[: half - 1]}…{name[-half:]}"
