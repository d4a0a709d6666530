"""Flan-mini's form: one JSON array of conversations, and a list of the tasks of either part."""

import json
from pathlib import Path

from nearfirst.corpus.settings import CorpusSettings

from ..corpus import flan_mini_rows, key_lists


def write(folder: Path, settings: CorpusSettings) -> int:
    """Write `flan_mini.json` and `split.json`; return the number of instances.

    Raises
    ------
    InputError
        If a task does not have that many distinct instances.
    """
    rows = list(flan_mini_rows(settings.instances_per_task, settings.seed))
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    (folder / "flan_mini.json").write_text(text, encoding="utf-8")
    text = json.dumps(key_lists(), indent=1)
    (folder / "split.json").write_text(text, encoding="utf-8")
    return len(rows)
