"""Correlations of measures: drawing as dots with intervals, and caption."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import give_titles, name_x, numbered_style, panels_of, style
from nearfirst.figures.settings import BETWEEN


def draw(table: pd.DataFrame, look: LookSettings, series: str = "") -> Figure:
    """Draw the correlation of each measure with its interval, one panel for each statistic."""
    measures = list(dict.fromkeys(table["measure"]))
    parts = {str(name): part for name, part in table.groupby("statistic", sort=False)}
    y = np.arange(len(measures))
    dots = {**numbered_style(look, 0), "linestyle": "none"}
    with style(look, len(parts)):
        panels = panels_of(look, len(parts))
        for i, (axes, part) in enumerate(zip(panels.axes, parts.values(), strict=True)):
            part = part.set_index("measure").reindex(measures)
            axes.axvline(0, color="0.4", linewidth=0.8)
            axes.hlines(y, part["low"], part["high"], color=dots["color"])
            axes.plot(part["mean"], y, **dots)
            for row in np.flatnonzero(part["mean"].isna()):
                axes.annotate(
                    "undefined", (0, row), (3, 0), textcoords="offset points", va="center"
                )
            axes.set_yticks(y, [look.quantities.get(measure, measure) for measure in measures])
            axes.tick_params(labelleft=i % panels.columns == 0)
            axes.set_ylim(len(measures) - 0.5, -0.5)
            axes.set_xlim(-1.05, 1.05)
        give_titles(panels, [look.legend.get(name, name) for name in parts])
        level = f"{100 * table['confidence'].max():g}% interval"
        name_x(panels, f"Spearman rank correlation with loss ({level})")
    return panels.figure


def facts(table: pd.DataFrame, series: str = "") -> list[str]:
    """Return the facts of the caption."""
    row = table.iloc[0]
    sentences = [
        f"Bars are {100 * row['confidence']:g}% bootstrap intervals over tasks and seeds.",
        f"Tasks: {row['n']}. Runs: {row['runs']}. Checkpoints: {row['checkpoints']}.",
        "Series left out because all their distances or losses are equal: up to "
        f"{table['left_out'].max()} of a mean.",
        "The correlations pooled and over checkpoints are confounded with time, as any two falling "
        "curves correlate, and those pooled and over tasks with how hard the tasks are.",
    ]
    if BETWEEN in set(table["statistic"]):
        sentences.append(
            "Those between arrangements are free of both: they compare differences in distance "
            "with differences in loss at the same task and step."
        )
    return sentences
