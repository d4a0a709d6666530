"""Held-out loss against the share of a pool: read, drawn, and put into an advice in words."""

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nearfirst.common.csv import read_csv
from nearfirst.figures.comparison.summary import NONE, SAMPLED
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import name_x, panels_of, style, turn

TEXT = ("order", "arrangement", "units")
NUMBERS = (
    *("share", "trained", "pool", "steps", "tokens", "choosing", "chosen", "loss", "low", "high"),
    *("difference", "difference_low", "difference_high", "p_value", "n", "choosing_instances"),
    *("instances", "confidence", "baseline", "selection_seconds", "training_seconds"),
)


def read(path: Path, series: str = "order") -> pd.DataFrame:
    """Read a table that `advice.py` wrote; raises what `read_csv` raises."""
    return read_csv(path, (*TEXT, *NUMBERS), TEXT)


def draw(table: pd.DataFrame, look: LookSettings, series: str = "order") -> Figure:
    """Draw the loss of each order against the share, with intervals, and a ring at the choice."""
    with style(look, 1):
        panels = panels_of(look, 1)
        axes = panels.axes[0]
        for place, (order, its) in enumerate(table.groupby(series, sort=False)):
            its = its.sort_values("share")
            reach = [its["loss"] - its["low"], its["high"] - its["loss"]]
            looks = turn(look, place)
            # Side by side, where orders have the same share.
            x = its["share"] * 1.02**place
            label = look.legend.get(str(order), str(order))
            axes.errorbar(x, its["loss"], reach, label=label, capsize=2, **looks)
            its = its[its["chosen"] == 1]
            ring: dict[str, Any] = {
                "marker": "o",
                "markersize": 11,
                "fillstyle": "none",
                "linestyle": "none",
            }
            axes.plot(x[its.index], its["loss"], color=looks["color"], **ring)
        axes.set_xscale("log")
        axes.set_xticks(sorted(set(table["share"].round(4))))
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylabel(look.y_label)
        axes.legend(title=f"{100 * table['confidence'].iloc[0]:g}% interval; ring: chosen")
        name_x(panels, "Share of the pool that is trained on")
    return panels.figure


def facts(table: pd.DataFrame, series: str = "order") -> list[str]:
    """Return the advice, and what else the caption says."""
    row = table.iloc[0]
    return [
        _advice(table),
        f"{row['choosing_instances']:.0f} test instances chose by their mean loss at the end of "
        f"each run, {row['instances']:.0f} others are measured. Square brackets and bars are "
        f"{100 * row['confidence']:g}% intervals over seeds and {SAMPLED[row['units']]}; p-values "
        f"are corrected over all comparisons. Seeds: {table['n'].max():.0f}. Where no difference "
        "is detected, there may still be one.",
    ]


def _advice(table: pd.DataFrame) -> str:
    """Return what to train on, what that gains over the baseline, and what does as well."""
    chosen, base = (table[table[key] == 1].iloc[0] for key in ("chosen", "baseline"))
    text = f"Train on {_part(chosen)}: held-out loss {_loss(chosen)}"
    if chosen["arrangement"] == base["arrangement"]:
        parts = [f"{text}. Nothing else that was tried did better on the half that chooses."]
    else:
        parts = [f"{text} against {_loss(base)} for {_part(base)} ({_difference(base)})."]
    parts.append(_cost(chosen, base))
    others = table[table["chosen"] == 0]
    alike = others[~others.apply(_is_detected, axis=1)]
    if len(alike):
        cheapest = alike.sort_values("tokens", kind="stable").iloc[0]
        names = ", ".join(f"{row['order']} at {_share(row)}" for _, row in alike.iterrows())
        parts.append(f"From {names}, no difference is detected.")
        if cheapest["tokens"] < chosen["tokens"]:
            parts.append(f"The cheapest of these is {_part(cheapest)}: {_loss(cheapest)}.")
    return " ".join(filter(None, parts))


def _part(row: "pd.Series[Any]") -> str:
    return f"{_share(row)} of the pool, {row['order']} ({_instances(row)})"


def _share(row: "pd.Series[Any]") -> str:
    return "all" if row["trained"] == row["pool"] else f"{100 * row['share']:.3g}%"


def _instances(row: "pd.Series[Any]") -> str:
    if row["trained"] == row["pool"]:
        return f"{row['pool']:,.0f} instances"
    return f"{row['trained']:,.0f} of {row['pool']:,.0f} instances"


def _loss(row: "pd.Series[Any]") -> str:
    return f"{row['loss']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


def _is_detected(row: "pd.Series[Any]") -> bool:
    excludes = not row["difference_low"] <= 0 <= row["difference_high"]
    return bool(row["p_value"] <= 1 - row["confidence"] and excludes)


def _difference(row: "pd.Series[Any]") -> str:
    numbers = "{:.3g} [{:.3g}, {:.3g}], p = {:.2g}".format(
        *row[["difference", "difference_low", "difference_high", "p_value"]]
    )
    return f"difference {numbers}" if _is_detected(row) else f"{NONE}: {numbers}"


def _cost(chosen: "pd.Series[Any]", base: "pd.Series[Any]") -> str:
    """Return the tokens and the seconds of a run, those of its selection included."""
    text = f"A run reads {chosen['tokens']:,.0f} tokens"
    same = chosen["arrangement"] == base["arrangement"]
    if chosen["tokens"] != base["tokens"]:
        share = 100 * chosen["tokens"] / base["tokens"]
        text += f", {share:.3g}% of the {base['tokens']:,.0f} of the other"
    if pd.isna(chosen["training_seconds"] + chosen["selection_seconds"]):
        return f"{text}."
    total = chosen["training_seconds"] + chosen["selection_seconds"]
    text += f", and took {total:,.0f} s, {chosen['selection_seconds']:,.0f} s of them to embed "
    text += "and arrange"
    if same or pd.isna(base["training_seconds"] + base["selection_seconds"]):
        return f"{text}."
    return f"{text}, against {base['training_seconds'] + base['selection_seconds']:,.0f} s."
