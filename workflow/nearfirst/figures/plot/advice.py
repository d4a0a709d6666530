"""Held-out loss against the share of a pool: drawing, and advice in words."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nearfirst.figures.comparison.summary import NONE, SAMPLED, direction, numbers
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.style import name_x, numbered_style, panels_of, style


def draw(table: pd.DataFrame, look: LookSettings, series: str = "order") -> Figure:
    """Draw the loss of each order against the share, with intervals and a ring at the choice."""
    with style(look, 1):
        panels = panels_of(look, 1)
        axes = panels.axes[0]
        for i, (order, rows) in enumerate(table.groupby(series, sort=False)):
            rows = rows.sort_values("share")
            margins = [rows["loss"] - rows["low"], rows["high"] - rows["loss"]]
            line = numbered_style(look, i)
            # Shifted, so that orders with the same share do not overlap.
            x = rows["share"] * 1.02**i
            label = look.legend.get(str(order), str(order))
            axes.errorbar(x, rows["loss"], margins, label=label, capsize=2, **line)
            chosen = rows[rows["chosen"] == 1]
            ring: dict[str, Any] = {"marker": "o", "markersize": 11, "fillstyle": "none"}
            ring |= {"linestyle": "none", "color": line["color"]}
            axes.plot(x[chosen.index], chosen["loss"], **ring)
        axes.set_xscale("log")
        axes.set_xticks(sorted(set(table["share"].round(4))))
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylabel(look.y_label)
        axes.legend(title=f"{100 * table['confidence'].iloc[0]:g}% interval; ring: chosen")
        name_x(panels, "Share of the pool that is trained on")
    return panels.figure


def facts(table: pd.DataFrame, series: str = "order") -> list[str]:
    """Return the advice, then the other facts of the caption."""
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
    """Return what to train on, its gain over the baseline, its cost, and what does as well."""
    chosen, base = (table[table[key] == 1].iloc[0] for key in ("chosen", "baseline"))
    text = f"Train on {_part(chosen)}: held-out loss {_loss(chosen)}"
    if chosen["arrangement"] == base["arrangement"]:
        parts = [f"{text}. Nothing else that was tried did better on the half that chooses."]
    else:
        parts = [f"{text} against {_loss(base)} for {_part(base)} ({_difference(base)})."]
    parts.append(_cost(chosen, base))
    others = table[table["chosen"] == 0]
    similar = others[~others.apply(_is_detected, axis=1)]
    if len(similar):
        cheapest = similar.sort_values("tokens", kind="stable").iloc[0]
        names = ", ".join(f"{row['order']} at {_share(row)}" for _, row in similar.iterrows())
        parts.append(f"From {names}, no difference is detected.")
        if cheapest["tokens"] < chosen["tokens"]:
            parts.append(f"The cheapest of these is {_part(cheapest)}: {_loss(cheapest)}.")
    return " ".join(parts)


def _part(row: "pd.Series[Any]") -> str:
    trained = "" if row["trained"] == row["pool"] else f"{row['trained']:,.0f} of "
    return f"{_share(row)} of the pool, {row['order']} ({trained}{row['pool']:,.0f} instances)"


def _share(row: "pd.Series[Any]") -> str:
    return "all" if row["trained"] == row["pool"] else f"{100 * row['share']:.3g}%"


def _loss(row: "pd.Series[Any]") -> str:
    return f"{row['loss']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


def _paired(row: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the row with the interval of the difference in place of that of the loss."""
    return row.drop(["low", "high"]).rename({"difference_low": "low", "difference_high": "high"})


def _is_detected(row: "pd.Series[Any]") -> bool:
    return direction(_paired(row)) != NONE


def _difference(row: "pd.Series[Any]") -> str:
    text = numbers(_paired(row))
    return f"difference {text}" if _is_detected(row) else f"{NONE}: {text}"


def _cost(chosen: "pd.Series[Any]", base: "pd.Series[Any]") -> str:
    """Return the tokens of a run, and its seconds where they are known."""
    text = f"A run reads {chosen['tokens']:,.0f} tokens"
    if chosen["tokens"] != base["tokens"]:
        share = 100 * chosen["tokens"] / base["tokens"]
        text += f", {share:.3g}% of the {base['tokens']:,.0f} of the other"
    total, of_base = (row["training_seconds"] + row["selection_seconds"] for row in (chosen, base))
    if not pd.isna(total):
        text += f", and took {total:,.0f} s, {chosen['selection_seconds']:,.0f} s of them to embed "
        text += "and arrange"
        if chosen["arrangement"] != base["arrangement"] and not pd.isna(of_base):
            text += f", against {of_base:,.0f} s"
    return f"{text}."
