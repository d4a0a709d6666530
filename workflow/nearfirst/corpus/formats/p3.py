"""P3's format: a folder of Parquet files for each pair of data set and prompt, and T0's table."""

import csv
import math
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nearfirst.corpus.settings import CorpusSettings

from ..tasks import Exchange, Task, all_tasks, distinct

# The real files also hold the token ids of T5, which nothing here reads.
SCHEMA = pa.schema([("inputs_pretokenized", pa.string()), ("targets_pretokenized", pa.string())])
HEADER = ("HF_name", "subset", "do_train", "do_eval")

Rows = list[Exchange]


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write the folders of all data sets and `datasets.csv`; return the number of instances.

    A task's instances are divided among its prompts, and a prompt's instances among the splits.
    """
    table = []
    total = 0
    for task in all_tasks():
        name, subset = data_set(task)
        share = math.ceil(settings.instances_per_task / len(task.prompts))
        for phrasing in task.prompts:
            drawn = _draw(task, phrasing, share, settings.seed)
            base_class = "_".join(filter(None, (name, subset, prompt_name(phrasing))))
            (folder / base_class).mkdir()
            for split, rows in _splits(task, drawn).items():
                _write_rows(folder / f"{base_class}/{split}-00000-of-00001.parquet", rows)
            total += len(drawn)
        is_unseen = task.role in ("near", "far")
        table.append((name, subset, "BASE" * (task.role == "train"), "BASE" * is_unseen))
    with (folder / "datasets.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *table])
    return total


def prompt_name(phrasing: str) -> str:
    """Name a prompt by its first four words."""
    words: list[str] = re.findall(r"\w+", phrasing.replace("'", ""))
    return "_".join(words[:4]).lower()


def _draw(task: Task, phrasing: str, count: int, seed: int) -> Rows:
    rng = random.Random(f"{seed}/p3/{task.name}/{phrasing}")
    drawn = distinct(lambda: task.fill([phrasing], rng), count)
    return [(text, answers[0]) for text, answers in drawn.items()]


def data_set(task: Task) -> tuple[str, str]:
    """Return the data set of a task and its subset, or "" if it has none."""
    if task.role == "unlisted":
        return task.family, ""
    subset = task.name.removeprefix(f"{task.family}_")
    return (task.family, subset) if subset != task.name else (task.name, "")


def _splits(task: Task, rows: Rows) -> dict[str, Rows]:
    """Divide the rows of a prompt; far tasks, like story_cloze, have no training split."""
    if task.role == "train":
        cut = len(rows) // 5
        parts = {"validation": rows[:cut], "train": rows[cut:]}
    else:
        cut = len(rows) // 3
        parts = {"train" if task.role == "near" else "test": rows[:cut], "validation": rows[cut:]}
    return {split: part for split, part in parts.items() if part}


def _write_rows(path: Path, rows: Rows) -> None:
    columns = {
        "inputs_pretokenized": [f" {text}" for text, _ in rows],
        "targets_pretokenized": [f" {answer}" for _, answer in rows],
    }
    pq.write_table(pa.table(columns, schema=SCHEMA), path)
