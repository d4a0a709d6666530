"""The numbers of an exploration, read and checked, and what they say in words."""

from pathlib import Path

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError

TEXT = ("panel", "what", "task", "measure")
NUMBERS = ("x", "width", "value", "n")
KINDS = ("identical text", "identical prompt", "near-identical text", "near embedding")
QUANTILES = ("min", "q25", "median", "q75", "max")
MEASURES = {
    "cosine": "cosine distance, −cos (−1: same direction)",
    "euclidean": "Euclidean distance",
}
"""What axes call a distance."""

_ABOUT = (
    *(f"{side}_{what}" for side in ("train", "test") for what in ("instances", "tasks", "median")),
    *("shared_tasks", "near", "near_quantile", "ngram", "text_similarity", "embedding_similarity"),
)


def read_exploration(path: Path) -> pd.DataFrame:
    """Read the numbers behind the figure of an exploration.

    Parameters
    ----------
    path
        CSV with the columns panel, what, task, x, width, value, n, measure, as `explore.py` writes
        it.

    Raises
    ------
    InputError
        If the file is no CSV, or a column or a row that the figure needs is missing.
    """
    try:
        table = pd.read_csv(
            path,
            dtype={**dict.fromkeys(TEXT, str), **dict.fromkeys(NUMBERS, float)},
            # A task may be called "none" or "NA".
            keep_default_na=False,
            na_values={name: [""] for name in NUMBERS},
        )
    except ValueError as error:
        raise InputError(f"{path}: not a whole CSV file ({error})") from None
    for name in (*TEXT, *NUMBERS):
        if name not in table:
            raise InputError(f"{path}: column '{name}' is missing; explore again")
    there = {("about", what.split(":")[0]) for what in table.loc[of(table, "about"), "what"]}
    there |= set(zip(table["panel"], table["what"], strict=True))
    needed = [
        *(("about", what) for what in _ABOUT),
        *(("distance", side) for side in ("train", "test")),
        *(("task", what) for what in QUANTILES),
        ("round", "instances"),
        *((panel, kind) for panel in ("pairs", "pairs_train", "pairs_test") for kind in KINDS),
        *((panel, "any") for panel in ("pairs_train", "pairs_test")),
    ]
    for panel, what in needed:
        if (panel, what) not in there:
            raise InputError(f"{path}: the row of {panel} '{what}' is missing; explore again")
    return table


def of(table: pd.DataFrame, panel: str) -> "pd.Series[bool]":
    """Return which rows belong to a panel."""
    return table["panel"] == panel


def number(table: pd.DataFrame, panel: str, what: str, column: str = "value") -> float:
    """Return the number in the one row that says this."""
    its = table[of(table, panel) & (table["what"].str.partition(":")[0] == what)]
    return float(its[column].iloc[0])


def word(table: pd.DataFrame, what: str) -> str:
    """Return what stands after the colon in a row of `about`, such as `words` of `ngram: words`."""
    names = table.loc[of(table, "about"), "what"].str.partition(": ")
    return str(names.loc[names[0] == what, 2].iloc[0])


def tasks(table: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of each test task, the nearest first (by median, then by name).

    Returns
    -------
    Columns task, n (test points), min, q25, median, q75, max, near_test, near_train; the last two
    are NaN if it is not known what counts as near.
    """
    its = table[of(table, "task")]
    wide = its.pivot(index="task", columns="what", values="value")
    wide = wide.reindex(columns=[*QUANTILES, "near_test", "near_train"])
    sizes = its.loc[its["what"] == "median"].set_index("task")["n"]
    wide = wide.join(sizes).reset_index()
    return wide.sort_values(["median", "task"], ignore_index=True)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Return columns x (round) and share (of the pool, in this round and those before it)."""
    its = table[of(table, "round")].sort_values("x")
    return pd.DataFrame({"x": its["x"], "share": its["value"].cumsum() / its["n"]})


def reached(table: pd.DataFrame, share: float) -> int:
    """Return the round with which a share of the pool is reached."""
    its = shares(table)
    return int(its.loc[its["share"] >= share - 1e-9, "x"].iloc[0])


def warnings(table: pd.DataFrame) -> list[str]:
    """Return what must not be overlooked: test texts that the pool holds; else nothing."""
    same, tests, trained, points = (
        int(number(table, f"pairs_{side}", "identical text", column))
        for side in ("test", "train")
        for column in ("value", "n")
    )
    if not same:
        return []
    if (same, trained) == (tests, points):
        return [f"the test set is the training set: all {counted(tests, 'test text')} in it"]
    return [f"{same:,} of {counted(tests, 'test instance')} have the very text of a training one"]


def counted(count: float, name: str) -> str:
    """Return a number with its noun, such as `1 task` and `1,121 tasks`."""
    return f"{int(count):,} {name}{'' if count == 1 else 's'}"


def caption(name: str, table: pd.DataFrame, pairs: str) -> str:
    """Return the caption as one paragraph of plain text.

    Parameters
    ----------
    name
        The figure.
    table
        As `read_exploration` returns it: all counts are taken from it.
    pairs
        Name of the file that lists the pairs.
    """

    def about(what: str, column: str = "value") -> float:
        return number(table, "about", what, column)

    sizes = " and ".join(
        f"{counted(about(f'{side}_instances'), f'{name} instance')} of "
        f"{counted(about(f'{side}_tasks'), 'task')}"
        for side, name in (("train", "training"), ("test", "test"))
    )
    shared = int(about("shared_tasks"))
    names = table["measure"].iloc[0]
    facts = [
        f"{name}: what a pool and a test set hold, before anything is trained. {sizes}; "
        + (f"{counted(shared, 'task')} in both." if shared else "no task is in both."),
        *(f"Warning: {text}." for text in warnings(table)),
        f"(a) {MEASURES[names][0].upper()}{MEASURES[names][1:]}, of each training instance to its "
        "nearest test instance and of each test instance to its nearest training instance: median "
        f"{about('train_median'):.3f} and {about('test_median'):.3f}.",
        f"(b) The same of the test instances by task, nearest first. {_near(table)}",
        "(c) Share of the pool in the rounds of Test-centric Multi-turn Arrangement: "
        f"{counted(len(shares(table)), 'round')}, half of the pool in "
        f"{counted(reached(table, 0.5), 'round')}, nine tenths in {reached(table, 0.9):,}.",
        f"(d) {_duplicates(table)} {pairs} lists them with their ids.",
    ]
    return " ".join(facts)


def _near(table: pd.DataFrame) -> str:
    near, sample = number(table, "about", "near"), number(table, "about", "near", "n")
    if not np.isfinite(near):
        return "The pool is too small to say what counts as near."
    basis = word(table, "near")
    if basis == "given":
        said = f"Near is a distance of at most {near:.3f}, as the config says"
    else:
        share = f"{100 * number(table, 'about', 'near_quantile'):g}%"
        other = "one of another task" if basis == "other tasks" else "other one"
        said = (
            f"Near is a distance of at most {near:.3f}, that within which {share} of "
            f"{counted(sample, 'training instance')} have their nearest {other}"
        )
    its = tasks(table)
    without = int((its["near_test"] == 0).sum())
    test = int(its["near_test"].sum())
    return (
        f"{said}. Tasks without any near data: {without:,} of {len(its):,}. Test instances with "
        f"some: {test:,} of {its['n'].sum():,.0f} (by task in the column on the right)."
    )


def _duplicates(table: pd.DataFrame) -> str:
    words = "word" if word(table, "ngram") == "words" else "character"
    meant = {
        "identical text": "the same text up to case and white space",
        "identical prompt": "the same prompt with another answer",
        "near-identical text": f"texts that share at least "
        f"{100 * number(table, 'about', 'text_similarity'):g}% of their "
        f"{int(number(table, 'about', 'ngram'))}-grams of {words}s",
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
        "Pairs of a training and a test instance, each counted under the first that holds: "
        f"{'; '.join(parts)}."
    )
