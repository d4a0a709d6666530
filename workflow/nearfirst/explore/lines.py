"""An exploration in a few lines of text."""

import pandas as pd

from nearfirst.common.text import counted
from nearfirst.explore.caption import describe_cosines, describe_near, describe_rounds
from nearfirst.explore.read import number, task_table
from nearfirst.explore.settings import KINDS


def lines(table: pd.DataFrame) -> list[str]:
    """Return some lines about the table that `read_exploration` returns."""

    def count(name: str, noun: str, panel: str = "about") -> str:
        return counted(number(table, name, panel), noun)

    tasks = task_table(table)
    measure = {"cosine": "cosine distance, 1 − cos"}.get(table["measure"].iloc[0], "distance")
    far = tasks.loc[tasks["near_test"] == 0, "task"].tolist()
    listed = ", ".join(far[:3]) + (f" and {len(far) - 3:,} more" if len(far) > 3 else "")
    cosines = describe_cosines(table).rstrip(".")
    texts = {
        "pool": f"{count('train_instances', 'row')} of {count('train_tasks', 'task')}",
        "prompts": f"{count('test_instances', 'prompt')} of {count('test_tasks', 'task')}; "
        f"{count('shared_tasks', 'task')} in both",
        "distance": f"median {number(table, 'train_median'):.3f} from a row to its nearest prompt, "
        f"{number(table, 'test_median'):.3f} from a prompt to its nearest row ({measure})",
        "near": describe_near(table),
        "near rows": f"{tasks['near_test'].sum():,.0f} of {counted(tasks['n'].sum(), 'prompt')} "
        f"have one{f'; no prompt of these tasks: {listed}' if far else ''}"
        f"{f'. {cosines}' if cosines else ''}",
        "rounds": f"TMA: {describe_rounds(table)}",
    }
    for kind in KINDS:
        texts[kind] = "no pair"
        if number(table, kind, "pairs"):
            rows, prompts = count(kind, "row", "pairs_train"), count(kind, "prompt", "pairs_test")
            texts[kind] = f"{count(kind, 'pair', 'pairs')} of {rows} and {prompts}"
    width = max(map(len, texts))
    return [f"{name:<{width}}  {text}" for name, text in texts.items()]
