"""Flan-mini's format: a JSON array of conversations, and the task lists of the split."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nearfirst.corpus.settings import CorpusSettings

from ..tasks import instances, listed_tasks


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write `flan_mini.json` and `split.json`; return the number of instances."""
    mixture = list(rows(settings.instances_per_task, settings.seed))
    text = json.dumps(mixture, ensure_ascii=False, indent=1)
    (folder / "flan_mini.json").write_text(text, encoding="utf-8")
    keys = {
        "train_key_list": [task.name for task in listed_tasks() if task.role == "train"],
        "eval_key_list": [task.name for task in listed_tasks() if task.role != "train"],
    }
    (folder / "split.json").write_text(json.dumps(keys, indent=1), encoding="utf-8")
    return len(mixture)


def rows(instances_per_task: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of all tasks, including unseen ones, shuffled like a published mixture."""
    drawn = [
        (task.name, instruction, answer)
        for task in listed_tasks()
        for instruction, answer in instances(task, instances_per_task, seed)
    ]
    random.Random(f"{seed}/mixture").shuffle(drawn)
    for number, (name, instruction, answer) in enumerate(drawn):
        yield {
            "id": f"identity_flan_{number}",
            "source": name,
            "conversations": [
                {"from": "human", "value": instruction},
                {"from": "gpt", "value": answer},
            ],
        }
