"""The one style of all figures, and the figures drawn in it."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

from nearfirst.files import writing
from nearfirst.settings.figures import LookSettings

mpl.use("pdf")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def loss_curves(table: pd.DataFrame, look: LookSettings) -> Figure:
    """Draw mean loss against step with its interval, one curve an arrangement.

    Parameters
    ----------
    table
        Columns arrangement, step, mean, low, high, n, confidence; NaN bounds draw no band.
    look
        Sizes, colours, names.
    """
    with mpl.rc_context(_style(look)):
        figure, axes = plt.subplots(figsize=(look.width, look.height), layout="constrained")
        for place, (name, curve) in enumerate(table.groupby("arrangement", sort=False)):
            colour = look.palette[place % len(look.palette)]
            axes.fill_between(
                curve["step"],
                curve["low"],
                curve["high"],
                color=colour,
                alpha=look.band_opacity,
                linewidth=0,
            )
            axes.plot(
                curve["step"],
                curve["mean"],
                color=colour,
                linestyle=look.line_styles[place % len(look.line_styles)],
                marker=look.markers[place % len(look.markers)],
                markevery=max(1, len(curve) // 10),
                label=look.legend.get(str(name), str(name)),
            )
        axes.set_xlabel(look.x_label)
        axes.set_ylabel(look.y_label)
        axes.set_xlim(table["step"].min(), table["step"].max())
        first = table.iloc[0]
        title = f"mean of {first['n']} seeds, {first['confidence']:.0%} interval"
        axes.legend(title=title if first["n"] > 1 else "one seed")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a vector PDF without a time stamp, so that equal data give equal bytes."""
    with writing(path) as temporary:
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    plt.close(figure)


def _style(look: LookSettings) -> dict[Any, Any]:
    return {
        "font.size": look.font_size,
        "legend.fontsize": look.font_size - 1,
        "legend.title_fontsize": look.font_size - 1,
        "legend.frameon": False,
        "lines.linewidth": 1.4,
        "lines.markersize": 4,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "grid.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        # Text stays text: searchable, and editable in a drawing program.
        "pdf.fonttype": 42,
    }
