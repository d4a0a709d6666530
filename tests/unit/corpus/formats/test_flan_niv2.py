"""The program that writes the generated data sets; Flan-mini and NIV2 in their published forms."""

import hashlib
import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from corpus_answers import number, numbers_in

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing_folder
from nearfirst.corpus.corpus import all_tasks, fill
from nearfirst.corpus.formats import niv2, p3
from nearfirst.corpus.settings import CorpusSettings
from nearfirst.data.formats import registry

FORMS = ("flan", "niv2", "p3", "sharegpt", "norobots")
TASKS = {task.name: task for task in all_tasks()}
UNSEEN = {name for name, task in TASKS.items() if task.role != "train"}

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def written(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both data sets, each in the folder of its form."""
    folder = tmp_path_factory.mktemp("written")
    for form in ("flan", "niv2"):
        done = program("generate_corpus.py", "--form", form, "--output", folder / form)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def niv2_tasks(written: Path) -> dict[str, dict[str, Any]]:
    files = sorted((written / "niv2/tasks").iterdir())
    return {path.stem.split("_", 1)[1]: json.loads(path.read_text()) for path in files}


# ---- the program ----


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("form", FORMS)
def test_same_bytes_in_every_process_and_others_with_another_seed(
    program: Program, tmp_path: Path, form: str
) -> None:
    small = {"instances_per_task": 6, "conversations": 20}
    for name, seed in (("once", 0), ("again", 0), ("other", 1)):
        settings = json.dumps({**small, "seed": seed})
        (tmp_path / name).mkdir()
        (tmp_path / name / "stale.json").touch()
        flags = ["--form", form, "--settings", settings, "--output", tmp_path / name]
        done = program("generate_corpus.py", *flags)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "stale.json" not in contents(tmp_path / "once")
    assert contents(tmp_path / "once") == contents(tmp_path / "again")
    once, other = contents(tmp_path / "once"), contents(tmp_path / "other")
    assert once.keys() == other.keys()
    assert once != other
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "once", "other"]


def test_too_many_instances_leave_the_old_folder_as_it_was(
    program: Program, tmp_path: Path
) -> None:
    output = tmp_path / "flan"
    output.mkdir()
    (output / "old").write_text("old")
    flags = ["--settings", '{"instances_per_task": 5000}', "--output", output]
    done = program("generate_corpus.py", "--form", "flan", *flags)
    assert done.returncode == 1
    assert re.search(r"error: task \w+ has only about \d+ distinct instances", done.stderr)
    assert "Traceback" not in done.stderr
    assert contents(tmp_path) == {"flan/old": b"old"}


def test_a_failure_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def write_table(table: pa.Table, path: Path) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise OSError(28, "No space left on device", str(path))
        path.touch()

    monkeypatch.setattr(p3.pq, "write_table", write_table)
    with pytest.raises(InputError, match="No space left"), writing_folder(tmp_path / "p3") as out:
        p3.write(out, CorpusSettings())
    assert len(calls) == 3
    assert list(tmp_path.iterdir()) == []


def test_the_forms_of_the_program_are_those_of_the_settings(program: Program) -> None:
    # All but data of one's own.
    assert set(registry.names()) == {*FORMS, "chat"}
    done = program("generate_corpus.py", "--help")
    assert f"--form {{{','.join(FORMS)}}}" in done.stdout
    done = program("generate_corpus.py", "--form", "alpaca", "--output", "x")
    assert done.returncode == 2
    assert "alpaca" in done.stderr


# ---- Flan-mini ----


def test_flan_mini_is_the_corpus_of_the_published_results(written: Path) -> None:
    """The figures of the mini preset are made of these bytes: a change of them changes those."""
    digests = {
        name: hashlib.sha256(content).hexdigest()[:16]
        for name, content in contents(written / "flan").items()
    }
    assert digests == {"flan_mini.json": "d0326d7a7fc0cd63", "split.json": "8b9a28602a06d1e6"}
    read = list(registry.read(registry.settings_class("flan")(), written / "flan/flan_mini.json"))
    assert Counter(instance.task for instance in read) == dict.fromkeys(TASKS, 60)


# ---- NIV2 ----

KEYS = (
    *("Contributors", "Source", "Categories", "Reasoning", "Definition", "Input_language"),
    *("Output_language", "Instruction_language", "Domains", "Positive Examples"),
    *("Negative Examples", "Instances", "Instance License"),
)


def test_niv2_tasks_have_the_published_keys(niv2_tasks: dict[str, dict[str, Any]]) -> None:
    assert niv2_tasks.keys() == {*TASKS, "list_length"}
    old = {name for name, task in niv2_tasks.items() if isinstance(task["Definition"], str)}
    assert {name for name in UNSEEN if name in old}
    assert old - UNSEEN
    for name, task in niv2_tasks.items():
        assert tuple(task) == (KEYS[:-1] if name in old else KEYS)
        assert all(isinstance(task[key], list) for key in KEYS[:9] if key != "Definition")
        assert name in old or [type(text) for text in task["Definition"]] == [str]
        for instance in task["Instances"]:
            assert list(instance) == (
                ["input", "output"] if name in old else ["id", "input", "output"]
            )
            assert all(isinstance(output, str) and output for output in instance["output"])
        for example in task["Positive Examples"] + task["Negative Examples"]:
            assert list(example) == ["input", "output", "explanation"]
            assert all(isinstance(text, str) and text for text in example.values())
        if name in TASKS:
            assert task["Source"] == [TASKS[name].family]


def test_niv2_splits_name_files_and_unseen_tasks_are_the_test_tasks(written: Path) -> None:
    folder = written / "niv2"
    assert {path.name for path in folder.iterdir()} == {"tasks", "splits"}
    listed = {
        part: (folder / f"splits/default/{part}_tasks.txt").read_text().splitlines()
        for part in ("train", "test", "excluded")
    }
    assert {part: len(names) for part, names in listed.items()} == {
        "train": 64,
        "test": 16,
        "excluded": 1,
    }
    names = [name for part in listed.values() for name in part]
    assert sorted(f"{name}.json" for name in names) == sorted(
        path.name for path in (folder / "tasks").iterdir()
    )
    assert all(re.fullmatch(r"task\d{3}_[a-z_]+", name) for name in names)
    assert {name.split("_", 1)[1] for name in listed["test"]} == UNSEEN


def test_niv2_instances_are_distinct_and_no_example_is_among_them(
    niv2_tasks: dict[str, dict[str, Any]],
) -> None:
    ids = [row["id"] for task in niv2_tasks.values() for row in task["Instances"] if "id" in row]
    assert len(set(ids)) == len(ids) > 3500
    assert all(re.fullmatch(r"task\d{3}-[0-9a-f]{32}", id_) for id_ in ids)
    for name, task in niv2_tasks.items():
        positive, negative = task["Positive Examples"], task["Negative Examples"]
        assert (len(positive), len(negative)) == (3, 2)
        inputs = [row["input"] for row in (*positive, *negative, *task["Instances"])]
        assert len(set(inputs)) == len(inputs), name
        assert 16 <= len(task["Instances"]) <= 60
    full = [name for name, task in niv2_tasks.items() if len(task["Instances"]) == 60]
    assert len(full) > 60


@pytest.mark.parametrize("name", niv2.DEFINITIONS)
def test_an_input_of_niv2_has_one_answer(name: str, niv2_tasks: dict[str, dict[str, Any]]) -> None:
    """The bare input is all that a model is given: draw it often and see."""
    task = TASKS.get(name, niv2.LIST_LENGTH)
    definition = niv2.DEFINITIONS[name]
    rng = random.Random(name)
    answers = [fill(definition.input, task, rng) for _ in range(2000)]
    answers += [(row["input"], row["output"][0]) for row in niv2_tasks[name]["Instances"]]
    answers += [(row["input"], row["output"]) for row in niv2_tasks[name]["Positive Examples"]]
    right = dict(answers)
    assert all(right[text] == answer for text, answer in answers)
    for row in niv2_tasks[name]["Negative Examples"]:
        told = row["explanation"].removeprefix("The right answer is: ")
        assert row["output"] != told == right.get(row["input"], told)
        assert not set(definition.references(told)) & set(definition.references(row["output"]))


def test_niv2_references_are_the_answer_and_the_bare_answer(
    niv2_tasks: dict[str, dict[str, Any]],
) -> None:
    several = {
        name
        for name, task in niv2_tasks.items()
        if {len(row["output"]) for row in task["Instances"]} == {2}
    }
    assert {"antonym_verb", "extraction_where", "inference_category", "animal_sound"} <= several
    assert len(several & UNSEEN) >= 4
    for name in several:
        for full, bare in (row["output"] for row in niv2_tasks[name]["Instances"]):
            assert re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", full), name
            assert bare != full
    for row in niv2_tasks["arithmetic_subtraction"]["Instances"]:
        assert numbers_in(row["output"][0]) == [number(row["output"][1])]


def test_the_loader_reads_niv2(written: Path, niv2_tasks: dict[str, dict[str, Any]]) -> None:
    niv2_format = registry.module("niv2")
    settings = niv2_format.Settings()
    read = list(niv2_format.instances(settings, written / "niv2", lambda prompt: True))
    assert len({instance.id for instance in read}) == len(read)
    by_task: dict[str, list[Any]] = {}
    for instance in read:
        by_task.setdefault(instance.task.split("_", 1)[1], []).append(instance)
    assert by_task.keys() == TASKS.keys()
    for name, instances in by_task.items():
        content = niv2_tasks[name]
        assert {i.part for i in instances} == {"unseen" if name in UNSEEN else "train"}
        assert {i.source for i in instances} == {TASKS[name].family}
        rows = [{"input": i.messages[0]["content"], "output": [*i.references]} for i in instances]
        assert rows == [{k: row[k] for k in ("input", "output")} for row in content["Instances"]]
        assert instances[0].expand is not None
        prompt = instances[0].expand()
        assert niv2.DEFINITIONS[name].text in prompt
        assert all(row["input"] in prompt for row in content["Positive Examples"][:2])


def spelled(text: str) -> list[int]:
    return [number(word) for word in text.split(", ")]


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("arithmetic_addition", lambda text: sum(spelled(text))),
        ("arithmetic_subtraction", lambda text: spelled(text)[0] - spelled(text)[1]),
        ("arithmetic_doubling", lambda text: 2 * number(text)),
        ("compare_numbers", lambda text: max(spelled(text))),
        ("count_items", lambda text: text.count(",") + 1),
        ("count_letters", len),
    ],
)
def test_numbers_computed_from_the_bare_input(
    name: str, compute: Any, niv2_tasks: dict[str, dict[str, Any]]
) -> None:
    for row in niv2_tasks[name]["Instances"]:
        assert {numbers_in(text)[0] for text in row["output"]} == {compute(row["input"])}, row


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("list_first_item", lambda text: text.split(", ")[0]),
        ("list_reversed", lambda text: ", ".join(text.split(", ")[::-1])),
        ("order_alphabetically", lambda text: ", ".join(sorted(text.split(", ")))),
        ("spell_with_hyphens", "-".join),
        ("uppercase_phrase", str.upper),
        ("letter_opening", "Dear {},".format),
    ],
)
def test_texts_computed_from_the_bare_input(
    name: str, compute: Any, niv2_tasks: dict[str, dict[str, Any]]
) -> None:
    for row in niv2_tasks[name]["Instances"]:
        assert row["output"] == [compute(row["input"])], row
