"""An exploration in a few lines of text."""

import numpy as np
import pandas as pd

from nearfirst.common.text import counted
from nearfirst.explore.caption import absolute, distance
from nearfirst.explore.read import number, shares, tasks, word
from nearfirst.explore.settings import KINDS


def lines(table: pd.DataFrame) -> list[str]:
    """Return some lines about the table that `read_exploration` returns."""

    def about(what: str) -> float:
        return number(table, "about", what)

    def median(side: str) -> str:
        return f"{about(f'{side}_median'):.3f}"

    rows, prompts, its = about("train_instances"), about("test_instances"), tasks(table)
    measure = {"cosine": "cosine distance, 1 − cos"}.get(table["measure"].iloc[0], "distance")
    far = its.loc[its["near_test"] == 0, "task"].tolist()
    listed = ", ".join(far[:3]) + (f" and {len(far) - 3:,} more" if len(far) > 3 else "")
    cumulative = shares(table)
    half, most = (
        int(cumulative.loc[cumulative["share"] >= share - 1e-9, "x"].iloc[0])
        for share in (0.5, 0.9)
    )
    text = absolute(table)
    cosines = f". {text.rstrip('.')}" if text else ""
    found = {
        "pool": f"{counted(rows, 'row')} of {counted(about('train_tasks'), 'task')}",
        "prompts": f"{counted(prompts, 'prompt')} of {counted(about('test_tasks'), 'task')}; "
        f"{counted(about('shared_tasks'), 'task')} in both",
        "distance": f"median {median('train')} from a row to its nearest prompt, "
        f"{median('test')} from a prompt to its nearest row ({measure})",
        "near": _near(table),
        "within it": f"{its['near_test'].sum():,.0f} of {counted(its['n'].sum(), 'prompt')} have "
        f"one{f'; no prompt of these tasks: {listed}' if far else ''}{cosines}",
        "rounds": f"{counted(len(cumulative), 'round')} of TMA; half of the pool is in the first "
        f"{half:,}, nine tenths in the first {most:,}",
        **{kind: _pairs(table, kind) for kind in KINDS},
    }
    width = max(map(len, found))
    return [f"{name:<{width}}  {text}" for name, text in found.items()]


def _near(table: pd.DataFrame) -> str:
    limit, sample = number(table, "about", "near"), number(table, "about", "near", "n")
    if not np.isfinite(limit):
        return "the pool is too small to say what counts as near"
    if word(table, "near") == "given":
        return f"at most {limit:.3f}, as given"
    other = "one of another task" if word(table, "near") == "other tasks" else "another one"
    share = 100 * number(table, "about", "near_quantile")
    return (
        f"the pool's own: {share:g}% of {counted(sample, 'row')} have {other} within "
        f"{distance(table, limit)}"
    )


def _pairs(table: pd.DataFrame, kind: str) -> str:
    pairs, rows, prompts = (
        number(table, panel, kind) for panel in ("pairs", "pairs_train", "pairs_test")
    )
    if not pairs:
        return "no pair"
    return f"{counted(pairs, 'pair')} of {counted(rows, 'row')} and {counted(prompts, 'prompt')}"
