"""The caption of an exploration."""

import numpy as np
import pandas as pd

from nearfirst.common.text import counted
from nearfirst.embed.texts import EMBEDDED, is_reported
from nearfirst.explore.read import (
    MEASURES,
    cumulative_shares,
    label,
    leak_warning,
    number,
    panel_letters,
    panel_rows,
    task_table,
)
from nearfirst.explore.settings import KINDS


def caption(name: str, table: pd.DataFrame) -> str:
    """Return the caption of the figure `name` for the table that `read_exploration` returns."""
    sizes = " and ".join(
        f"{counted(number(table, f'{side}_instances'), f'{adjective} instance')} of "
        f"{counted(number(table, f'{side}_tasks'), 'task')}"
        for side, adjective in (("train", "training"), ("test", "test"))
    )
    shared, duplicates = number(table, "shared_tasks"), _describe_duplicates(table)
    embedded = {key: int(number(table, key)) for key in ("cut", "distinct")}
    embedded["embedded"] = int(number(table, "train_instances"))
    letters = panel_letters(table)
    panels = {
        "distances": f"{MEASURES[table['measure'].iloc[0]]} of each training instance to its "
        "nearest test instance and of each test instance to its nearest training instance: median "
        f"{number(table, 'train_median'):.3f} and {number(table, 'test_median'):.3f}. "
        f"{_describe_distances(table)}",
        "tasks": "The distances of the test instances by task, the nearest task first.",
        "rounds": "Share of the pool in the rounds of Test-centric Multi-turn Arrangement (TMA): "
        f"{describe_rounds(table)}.",
        "duplicates": f"{duplicates} {name}_pairs.csv lists them with their ids.",
    }
    parts = [
        f"{name}: the pool and the test set before training. {sizes}; "
        + (f"{counted(shared, 'task')} in both." if shared else "no task is in both."),
        *([f"{warning}."] if (warning := leak_warning(table)) else []),
        *([EMBEDDED.format(**embedded)] if is_reported(**embedded) else []),
        *(f"({letter}) {panels[panel]}" for panel, letter in letters.items()),
        *([] if "duplicates" in letters else [duplicates]),
    ]
    return " ".join(parts)


def _describe_distances(table: pd.DataFrame) -> str:
    near = describe_near(table)
    if not np.isfinite(number(table, "near")):
        return f"What counts as near: {near}."
    tasks = task_table(table)
    sentences = [
        f"What counts as near (dotted line): {near}. {tasks['near_test'].sum():,.0f} of "
        f"{counted(tasks['n'].sum(), 'test instance')} have near data; tasks without any: "
        f"{(tasks['near_test'] == 0).sum():,} of {len(tasks):,}.",
        f"{100 * number(table, 'median_quantile'):.0f}% of the distances within the pool are "
        "smaller than the distance of the median test instance.",
    ]
    return " ".join([*sentences, describe_cosines(table)]).strip()


def describe_near(table: pd.DataFrame) -> str:
    """Return which distance counts as near, and why."""
    limit = number(table, "near")
    if not np.isfinite(limit):
        return "the pool is too small to say"
    cosine = f" (a cosine of {1 - limit:.2f})" * (table["measure"].iloc[0] == "cosine")
    sample = counted(number(table, "near", column="n"), "training instance")
    other = "one of another task" if label(table, "near") == "other tasks" else "another one"
    return (
        f"at most {limit:.3f}{cosine}; {100 * number(table, 'near_quantile'):g}% of {sample} have "
        f"{other} within this distance"
    )


def describe_cosines(table: pd.DataFrame) -> str:
    """Return how many test instances have near data by absolute cosines; "" for other measures."""
    rows = panel_rows(table, "about").set_index("what")
    rows = rows[rows.index.str.startswith("cosine_")]
    if rows.empty:
        return ""
    levels = ", ".join(name.removeprefix("cosine_") for name in rows.index)
    counts = ", ".join(f"{value:,.0f}" for value in rows["value"])
    return (
        f"{counts} of {counted(rows['n'].iloc[0], 'test instance')} have cosines of at least "
        f"{levels} to their nearest training instance, respectively."
    )


def describe_rounds(table: pd.DataFrame) -> str:
    """Return how many rounds there are, and how many hold most of the pool."""
    shares = cumulative_shares(table)["share"]
    half, most = (1 + (shares < level - 1e-9).sum() for level in (0.5, 0.9))
    return (
        f"{counted(len(shares), 'round')}; half of the pool is in the first {half:,}, "
        f"nine tenths in the first {most:,}"
    )


def _describe_duplicates(table: pd.DataFrame) -> str:
    unit = label(table, "ngram").removesuffix("s")
    meanings = {
        "identical text": "the same text up to case and white space",
        "identical prompt": "the same prompt with another answer",
        "near-identical text": f"at least {100 * number(table, 'text_similarity'):g}% "
        f"shared {int(number(table, 'ngram'))}-grams of {unit}s",
        "near embedding": "embeddings with a cosine of at least "
        f"{number(table, 'embedding_similarity'):g}",
    }
    parts = []
    for kind in KINDS:
        pairs, train, test = (
            number(table, kind, panel) for panel in ("pairs", "pairs_train", "pairs_test")
        )
        sizes = f" (of {train:,.0f} training and {counted(test, 'test instance')})"
        parts.append(f"{meanings[kind]}: {f'{pairs:,.0f}{sizes}' if pairs else 'none'}")
    return (
        "Pairs of a training and a test instance, each counted under the first kind that fits: "
        f"{'; '.join(parts)}."
    )
