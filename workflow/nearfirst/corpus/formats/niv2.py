"""NIV2's format: a checkout with one JSON file per task and the lists of the default split."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

from nearfirst.corpus.settings import CorpusSettings

from ..tasks import Task, all_tasks, distinct

# The real files also hold negative examples and explanations, which nothing here reads.
_EXAMPLES = 5
# Its tasks look like those of old revisions: the definition is not a list, instances have no id.
_OLD_FAMILY = "double"


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write `tasks/` and `splits/default/`; return the number of instances.

    A task with few distinct inputs has fewer instances than `instances_per_task`.
    """
    (folder / "tasks").mkdir()
    lists: dict[str, list[str]] = {"train_tasks": [], "test_tasks": [], "excluded_tasks": []}
    list_of_role = {"train": "train_tasks", "unlisted": "excluded_tasks"}
    total = 0
    for number, task in enumerate(all_tasks(), start=1):
        name = f"task{number:03d}_{task.name}"
        content = _task(name, task, settings)
        text = json.dumps(content, indent=4, ensure_ascii=False)
        (folder / f"tasks/{name}.json").write_text(text, encoding="utf-8")
        lists[list_of_role.get(task.role, "test_tasks")].append(name)
        total += len(content["Instances"])
    splits = folder / "splits/default"
    splits.mkdir(parents=True)
    for part, names in lists.items():
        (splits / f"{part}.txt").write_text("".join(f"{name}\n" for name in names))
    return total


def _task(name: str, task: Task, settings: CorpusSettings) -> dict[str, Any]:
    definition, category, domain = task.niv2
    rng = random.Random(f"{settings.seed}/niv2/{task.name}")
    count = _EXAMPLES + settings.instances_per_task
    rows = list(distinct(lambda: task.fill(task.inputs, rng), count).items())
    is_old = task.family == _OLD_FAMILY
    return {
        "Source": [task.family],
        "Categories": [category],
        "Definition": definition if is_old else [definition],
        "Domains": [domain],
        "Positive Examples": [
            {"input": text, "output": answers[0]} for text, answers in rows[:_EXAMPLES]
        ],
        "Instances": [
            ({} if is_old else {"id": _id(name, text)}) | {"input": text, "output": answers}
            for text, answers in rows[_EXAMPLES:]
        ],
    }


def _id(name: str, text: str) -> str:
    number = name.split("_")[0]
    digest = hashlib.blake2b(text.encode(), digest_size=16, key=name.encode()).hexdigest()
    return f"{number}-{digest}"
