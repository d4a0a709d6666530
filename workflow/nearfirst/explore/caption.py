"""The caption of an exploration."""

import numpy as np
import pandas as pd

from nearfirst.common.text import counted
from nearfirst.embed.texts import EMBEDDED, is_told
from nearfirst.explore.read import MEASURES, leak, letters, number, of, shares, tasks, word
from nearfirst.explore.settings import KINDS


def caption(name: str, table: pd.DataFrame) -> str:
    """Return the caption of the figure `name` for the table that `read_exploration` returns."""

    def about(what: str) -> float:
        return number(table, "about", what)

    sizes = " and ".join(
        f"{counted(about(f'{side}_instances'), f'{adjective} instance')} of "
        f"{counted(about(f'{side}_tasks'), 'task')}"
        for side, adjective in (("train", "training"), ("test", "test"))
    )
    shared, duplicates = about("shared_tasks"), _duplicates(table)
    embedded = {key: int(about(key)) for key in ("cut", "distinct")}
    embedded["embedded"] = int(about("train_instances"))
    of_panels = {
        "distances": f"{MEASURES[table['measure'].iloc[0]]} of each training instance to its "
        "nearest test instance and of each test instance to its nearest training instance: median "
        f"{about('train_median'):.3f} and {about('test_median'):.3f}. {_near(table)}",
        "tasks": "The distances of the test instances by task, the nearest task first.",
        "rounds": _rounds(table),
        "duplicates": f"{duplicates} {name}_pairs.csv lists them with their ids.",
    }
    parts = [
        f"{name}: the pool and the test set before training. {sizes}; "
        + (f"{counted(shared, 'task')} in both." if shared else "no task is in both."),
        *([f"{text}."] if (text := leak(table)) else []),
        *([EMBEDDED.format(**embedded)] if is_told(**embedded) else []),
        *(f"({letter}) {of_panels[panel]}" for panel, letter in letters(table).items()),
        *([] if "duplicates" in letters(table) else [duplicates]),
    ]
    return " ".join(parts)


def _near(table: pd.DataFrame) -> str:
    near, sample = number(table, "about", "near"), number(table, "about", "near", "n")
    if not np.isfinite(near):
        return "The pool is too small to say what counts as near."
    basis, its = word(table, "near"), tasks(table)
    within, without = its["near_test"].sum(), int((its["near_test"] == 0).sum())
    if basis == "given":
        return (
            f"The dotted line marks what counts as near: a distance of at most {near:.3f}, as the "
            f"config says. {within:,.0f} of {counted(its['n'].sum(), 'test instance')} have near "
            f"data; tasks without any: {without:,} of {len(its):,}. {absolute(table)}".strip()
        )
    share = f"{100 * number(table, 'about', 'near_quantile'):g}%"
    other = "one of another task" if basis == "other tasks" else "other one"
    below = number(table, "about", "median_quantile")
    return (
        f"The dotted line, at {distance(table, near)}, is the pool's own measure: {share} of "
        f"{counted(sample, 'training instance')} have their nearest {other} within it, and so have "
        f"{within:,.0f} of {counted(its['n'].sum(), 'test instance')} a training instance; tasks "
        f"without any: {without:,} of {len(its):,}. Of the pool's own distances {100 * below:.0f}% "
        f"are smaller than that of the median test instance. {absolute(table)}".strip()
    )


def distance(table: pd.DataFrame, value: float) -> str:
    """Return a distance, with its cosine if it has one."""
    cosine = f" (a cosine of {1 - value:.2f})" * (table["measure"].iloc[0] == "cosine")
    return f"{value:.3f}{cosine}"


def absolute(table: pd.DataFrame) -> str:
    """Return how many test instances have near data in absolute terms; "" if not by cosines."""
    its = of(table, "about").set_index("what")
    its = its[its.index.str.startswith("cosine_")]
    if its.empty:
        return ""
    levels = ", ".join(name.removeprefix("cosine_") for name in its.index)
    counts = ", ".join(f"{value:,.0f}" for value in its["value"])
    return (
        f"Cosines of at least {levels} to their nearest training instance have {counts} of "
        f"{counted(its['n'].iloc[0], 'test instance')}."
    )


def _rounds(table: pd.DataFrame) -> str:
    its = shares(table)
    half, most = (int(its.loc[its["share"] >= share - 1e-9, "x"].iloc[0]) for share in (0.5, 0.9))
    return (
        "Share of the pool in the rounds of Test-centric Multi-turn Arrangement (TMA): "
        f"{counted(len(its), 'round')}; half of the pool is in the first {counted(half, 'round')}, "
        f"nine tenths in the first {most:,}."
    )


def _duplicates(table: pd.DataFrame) -> str:
    unit = word(table, "ngram").removesuffix("s")
    meant = {
        "identical text": "the same text up to case and white space",
        "identical prompt": "the same prompt with another answer",
        "near-identical text": f"at least {100 * number(table, 'about', 'text_similarity'):g}% "
        f"shared {int(number(table, 'about', 'ngram'))}-grams of {unit}s",
        "near embedding": "embeddings with a cosine of at least "
        f"{number(table, 'about', 'embedding_similarity'):g}",
    }
    parts = []
    for kind in KINDS:
        pairs, train, test = (
            number(table, panel, kind) for panel in ("pairs", "pairs_train", "pairs_test")
        )
        sizes = f" (of {train:,.0f} training and {counted(test, 'test instance')})"
        parts.append(f"{meant[kind]}: {f'{pairs:,.0f}{sizes}' if pairs else 'none'}")
    return (
        "Pairs of a training and a test instance, each counted under the first kind that fits: "
        f"{'; '.join(parts)}."
    )
