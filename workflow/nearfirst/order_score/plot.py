"""The figure of the order score, and its caption."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nearfirst.common.csv import read_csv
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.correlations import draw

TEXT = ("representation", "measure", "units")


def read_order_score(path: Path) -> pd.DataFrame:
    """Read the table of `order_score.py`; raises what `read_csv` raises."""
    return read_csv(path, TEXT)


def draw_order_score(table: pd.DataFrame, look: LookSettings) -> Figure:
    """Draw each correlation with its interval; a dashed line marks the bound set by reliability."""
    measures = table["measure"].map(lambda name: look.quantities.get(name, name))
    renamed = table.assign(
        measure=table["representation"] + ": " + measures,
        statistic=table["step"].map("after step {:.0f}".format),
    )
    figure = draw(renamed, look)
    for axes, reliability in zip(
        figure.axes, table.groupby("step")["reliability"].first(), strict=True
    ):
        if reliability > 0:
            axes.axvline(np.sqrt(reliability), color="0.4", linestyle="--", linewidth=0.8)
    return figure


def order_score_caption(table: pd.DataFrame, dataset: str) -> str:
    """Return the caption."""
    first = table.iloc[0]
    unit = first["units"]
    steps = [_describe_step(rows) for _, rows in table.groupby("step")]
    return " ".join(
        [
            f"Does similarity predict the effect of order? {first['orders']:.0f} orders of the "
            f"same training instances of {dataset}, and as many others on which τ was fitted. "
            f"Spearman's correlation over orders of the loss of an unseen {unit} with the "
            "distance of the training instances to it, weighted by the learning rate at their step "
            "times exp(−(T − step) / τ), where T is the step of the loss; mean over "
            f"{unit}s. Right of zero, nearer data where they weigh most go with a lower loss.",
            *steps,
            f"Bars are {100 * first['confidence']:g}% bootstrap intervals over "
            f"{first['n']:.0f} {unit}s. p-values are one-sided, shuffle the orders, and are not "
            "corrected for the number of measures.",
        ]
    )


def _describe_step(table: pd.DataFrame) -> str:
    best = table.iloc[int(table["mean"].fillna(-2).argmax())]
    unit = best["units"]
    reliability = (
        "Reliability cannot be computed from one test instance of each."
        if np.isnan(best["reliability"])
        else f"Reliability of a {unit}'s loss over its test instances (Cronbach's α) is "
        f"{_interval(best, 'reliability')}; its square root is the dashed line, which no "
        f"prediction for other instances of the {unit} can pass."
    )
    return (
        f"After step {best['step']:.0f}, the loss of a {unit} differs between orders by "
        f"{best['spread']:.2g} nats (standard deviation). {reliability} Highest is "
        f"{best['representation']}, {best['measure']}: {_interval(best)}, τ = {best['tau']:g} "
        f"steps, p = {best['p_value']:.2g}."
    )


def _interval(row: "pd.Series[Any]", name: str = "mean") -> str:
    low, high = ("low", "high") if name == "mean" else (f"{name}_low", f"{name}_high")
    return f"{row[name]:.2f} [{row[low]:.2f}, {row[high]:.2f}]"
