"""NIV2 as generated: its published form, and inputs that have one answer."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from corpus_answers import TASKS, UNSEEN, number, numbers_in

from nearfirst.corpus.formats.niv2_definition import DEFINITIONS
from nearfirst.corpus.formats.unlisted import LIST_LENGTH
from nearfirst.data.formats import niv2

KEYS = (
    *("Contributors", "Source", "Categories", "Reasoning", "Definition", "Input_language"),
    *("Output_language", "Instruction_language", "Domains", "Positive Examples"),
    *("Negative Examples", "Instances", "Instance License"),
)
Tasks = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def niv2_tasks(written: Path) -> Tasks:
    files = sorted((written / "niv2/tasks").iterdir())
    return {path.stem.split("_", 1)[1]: json.loads(path.read_text()) for path in files}


def test_tasks_have_the_published_keys(niv2_tasks: Tasks) -> None:
    assert niv2_tasks.keys() == {*TASKS, LIST_LENGTH.name}
    # Some look like those of old revisions: a definition that is no list, instances without ids.
    old = {name for name, task in niv2_tasks.items() if isinstance(task["Definition"], str)}
    assert old & UNSEEN < old
    for name, task in niv2_tasks.items():
        assert tuple(task) == (KEYS[:-1] if name in old else KEYS)
        assert all(isinstance(task[key], list) for key in KEYS[:9] if key != "Definition")
        for row in task["Instances"]:
            assert list(row) == ["id", "input", "output"][name in old :]
            assert all(isinstance(output, str) and output for output in row["output"])
        assert (len(task["Positive Examples"]), len(task["Negative Examples"])) == (3, 2)
        for example in task["Positive Examples"] + task["Negative Examples"]:
            assert list(example) == ["input", "output", "explanation"]


def test_splits_name_files_and_unseen_tasks_are_the_test_tasks(written: Path) -> None:
    listed = {
        part: (written / f"niv2/splits/default/{part}_tasks.txt").read_text().splitlines()
        for part in ("train", "test", "excluded")
    }
    assert [len(names) for names in listed.values()] == [64, 16, 1]
    names = [name for part in listed.values() for name in part]
    assert sorted(names) == sorted(path.stem for path in (written / "niv2/tasks").iterdir())
    assert {name.split("_", 1)[1] for name in listed["test"]} == UNSEEN


def test_instances_are_distinct_and_no_example_is_among_them(niv2_tasks: Tasks) -> None:
    rows = [row for task in niv2_tasks.values() for row in task["Instances"] if "id" in row]
    assert len({row["id"] for row in rows}) == len(rows) > 3500
    assert all(re.fullmatch(r"task\d{3}-[0-9a-f]{32}", row["id"]) for row in rows)
    for name, task in niv2_tasks.items():
        rows = task["Positive Examples"] + task["Negative Examples"] + task["Instances"]
        assert len({row["input"] for row in rows}) == len(rows), name
        assert 16 <= len(task["Instances"]) <= 60


@pytest.mark.parametrize("name", DEFINITIONS)
def test_an_input_has_one_answer(name: str, niv2_tasks: Tasks) -> None:
    """The bare input is all that a model is given: draw it often and see."""
    task, definition, rng = TASKS.get(name, LIST_LENGTH), DEFINITIONS[name], random.Random(name)
    answers = [task.fill(definition.input, rng) for _ in range(2000)]
    answers += [(row["input"], row["output"][0]) for row in niv2_tasks[name]["Instances"]]
    answers += [(row["input"], row["output"]) for row in niv2_tasks[name]["Positive Examples"]]
    right = dict(answers)
    assert all(right[text] == answer for text, answer in answers)
    for row in niv2_tasks[name]["Negative Examples"]:
        told = row["explanation"].removeprefix("The right answer is: ")
        assert right.get(row["input"], told) == told
        assert not set(definition.references(told)) & set(definition.references(row["output"]))


def test_references_are_the_answer_and_the_bare_answer(niv2_tasks: Tasks) -> None:
    outputs = {n: [row["output"] for row in task["Instances"]] for n, task in niv2_tasks.items()}
    several = {name for name, definition in DEFINITIONS.items() if definition.bare}
    assert several & UNSEEN
    for name in several:
        for full, bare in outputs[name]:
            assert re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", full), name
            assert bare != full
    for full, bare in outputs["arithmetic_subtraction"]:
        assert numbers_in(full) == [number(bare)]


def test_the_loader_reads_it(written: Path, niv2_tasks: Tasks) -> None:
    found = niv2.instances(niv2.Settings(), written / "niv2", lambda prompt: True)
    rows = [row for name in TASKS for row in niv2_tasks[name]["Instances"]]
    for instance, row in zip(found, rows, strict=True):
        assert instance.messages[0]["content"] == row["input"]
        assert list(instance.references) == row["output"]
        name = instance.task.split("_", 1)[1]
        assert instance.part == ("unseen" if name in UNSEEN else "train")
        assert instance.expand is not None
        assert DEFINITIONS[name].text in instance.expand()
