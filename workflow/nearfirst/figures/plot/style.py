"""The style that all figures share."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.fonts import families

# Width of a character and height of a line of text, in font sizes.
CHARACTER, LINE = 0.58, 1.45
PLOT = 0.8
"""Share of a panel for the plot; the rest is for tick labels."""
PAGE_WIDTH = 8.0
"""Maximum width in inches of a figure with several panels."""
# Curves also differ in greyscale; numbers are lengths of dashes and gaps in line widths.
LINE_STYLES = (
    *("-", "--", "-.", ":", (0, (7, 2)), (0, (5, 1, 1, 1, 1, 1))),
    *((0, (1.5, 1)), (0, (9, 2, 2, 2))),
)
MARKERS = "os^DvPX*"
BAND_OPACITY = 0.18
"""Opacity of the band of an interval."""


@contextmanager
def style(look: LookSettings, panels: int) -> Iterator[None]:
    """Apply the style; text is a point smaller if there are several panels.

    Raises InputError if `look.font` is not installed.
    """
    size = look.font_size - (panels > 1)
    parameters: dict[Any, Any] = {
        "font.family": families(look.font),
        "font.size": size,
        "axes.titlesize": size,
        "figure.labelsize": size,
        "legend.fontsize": size - 1,
        "legend.title_fontsize": size - 1,
        "legend.frameon": False,
        "lines.linewidth": 1.4,
        "lines.markersize": 4,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "grid.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        # Names of tasks may contain a dollar sign.
        "text.parse_math": False,
    }
    with mpl.rc_context(parameters):
        yield


@dataclass(frozen=True)
class Panels:
    """A figure and its panels, row by row; cells of the last row may be empty."""

    figure: Figure
    axes: list[Axes]
    rows: int
    columns: int


def panels_of(look: LookSettings, count: int) -> Panels:
    """Return a figure with a nearly square grid of panels and few empty cells.

    Unless a single panel is wider, it is not wider than `PAGE_WIDTH`.
    """
    side = math.isqrt(count - 1) + 1
    columns = min((side, side + 1), key=lambda columns: -count % columns)
    columns = min(columns, max(1, int(PAGE_WIDTH / look.panel_width)))
    rows = -(-count // columns)
    width, height = look.panel_width, look.panel_height
    if count == 1:
        width, height = look.width, look.height
    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    cells = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in cells[count:]:
        axes.remove()
    return Panels(figure, cells[:count], rows, columns)


def numbered_style(look: LookSettings, number: int) -> dict[str, Any]:
    """Return colour, line style and marker of a curve by its number, from 0.

    Once all colours are used, they are repeated with the next line style and marker.
    """
    shifted = number + number // len(look.palette)
    return {
        "color": look.palette[number % len(look.palette)],
        "linestyle": LINE_STYLES[shifted % len(LINE_STYLES)],
        "marker": MARKERS[shifted % len(MARKERS)],
    }


def name_x(panels: Panels, label: str) -> None:
    """Label the x axis, once for all panels."""
    if len(panels.axes) == 1:
        panels.axes[0].set_xlabel(label)
    else:
        panels.figure.supxlabel(label)


def give_titles(panels: Panels, titles: Sequence[str]) -> None:
    """Put a title above each panel, wrapped to its width."""
    width = PLOT * panels.figure.get_figwidth() / panels.columns
    points = float(mpl.rcParams["axes.titlesize"])
    texts = [wrapped(text, width, points) for text in titles]
    for axes, text in zip(panels.axes, texts, strict=True):
        axes.set_title(text)
    added_lines = max(text.count("\n") for text in texts)
    taller(panels.figure, panels.rows * added_lines * LINE * points / 72)


def wrapped(text: str, inches: float, points: float) -> str:
    """Return text in even lines of limited width, which may also break after an underscore."""
    # textwrap breaks at white space, such as a vertical tab, which no name contains.
    text = text.replace("_", "_\v")
    limit = max(8, int(inches * 72 / (CHARACTER * points)))
    count = len(_lines(text, limit))
    longest = max(map(len, text.split()), default=limit)
    width = next((w for w in range(longest, limit) if len(_lines(text, w)) == count), limit)
    return "\n".join(_lines(text, width)).replace("\v", "")


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, replace_whitespace=False)


def taller(figure: Figure, inches: float) -> None:
    """Make a figure taller, so that a legend or title takes no space from its panels."""
    figure.set_figheight(figure.get_figheight() + inches)
