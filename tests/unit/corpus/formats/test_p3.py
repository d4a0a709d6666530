"""P3 as generated, in its published form."""

import csv
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_answers import TASKS, UNSEEN

from nearfirst.corpus.formats.p3 import prompt_name
from nearfirst.data import registry

# Base-class data sets of P3: folder to task.
PROMPTS = {
    f"{name}_{prompt_name(phrasing)}": name
    for name, task in TASKS.items()
    for phrasing in task.phrasings
}
COLUMNS = ["inputs_pretokenized", "targets_pretokenized"]
Prompted = dict[str, dict[str, list[tuple[str, str]]]]


@pytest.fixture(scope="module")
def prompted(written: Path) -> Prompted:
    """Inputs and targets, by folder and split."""
    found: Prompted = {}
    for path in sorted((written / "p3").glob("*/*")):
        assert re.fullmatch(r"(train|validation|test)-00000-of-00001\.parquet", path.name)
        table = pq.read_table(path)
        assert table.schema == pa.schema([(name, pa.string()) for name in COLUMNS])
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        found.setdefault(path.parent.name, {})[path.name.split("-")[0]] = rows
    return found


def test_there_is_a_folder_for_each_prompt_of_a_task(prompted: Prompted) -> None:
    assert prompted.keys() == {*PROMPTS, "list_how_long_is_this"}
    for folder, name in PROMPTS.items():
        assert len(prompted[folder]["validation" if name in UNSEEN else "train"]) >= 8, folder
        assert ("train" in prompted[folder]) == (TASKS[name].role != "far")
    sizes = Counter[str]()
    for folder, name in PROMPTS.items():
        sizes[name] += sum(map(len, prompted[folder].values()))
    assert all(60 <= sizes[name] < 60 + len(TASKS[name].phrasings) for name in TASKS)
    pairs = [pair for splits in prompted.values() for rows in splits.values() for pair in rows]
    assert len({text for text, _ in pairs}) == len(pairs)
    assert all(text == f" {text.strip()}" for pair in pairs for text in pair)


def test_data_sets_are_named_as_in_t0s_table(written: Path, prompted: Prompted) -> None:
    with (written / "p3/datasets.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == "HF_name,subset,task_by_convention,do_train,do_eval,train_size"
    named = {"_".join(filter(None, row[:2])): row for row in rows}
    assert named.keys() == {*TASKS, "list"}
    assert {name for name, row in named.items() if row[3] == "BASE"} == TASKS.keys() - UNSEEN
    assert {name for name, row in named.items() if row[4] == "BASE"} == UNSEEN
    # A data set with subsets, one of them unseen, and one whose name begins the names of others.
    assert named["arithmetic_story_loss"][:2] == ["arithmetic", "story_loss"]
    assert named["list_first_item"][:2] == ["list", "first_item"]
    sizes = Counter[str]()
    for folder, splits in prompted.items():
        sizes[PROMPTS.get(folder, "list")] += len(splits.get("train", []))
    assert {name: row[5] for name, row in named.items()} == {
        name: str(size or "") for name, size in sizes.items()
    }


def test_the_loader_reads_it(written: Path) -> None:
    read = list(registry.read(registry.FORMATS.settings("p3")(), written / "p3"))
    assert {instance.task: instance.part for instance in read} == {
        folder: "unseen" if name in UNSEEN else "train" for folder, name in PROMPTS.items()
    }
