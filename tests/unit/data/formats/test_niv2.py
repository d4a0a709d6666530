"""The NIV2 reader: the tasks and instances it yields, its prompts, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from conversations import refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from nearfirst.data import registry
from nearfirst.data.conversation import Instance
from nearfirst.data.formats import niv2
from nearfirst.data.sample import sample

Task = dict[str, Any]


def example(number: int) -> dict[str, str]:
    return {"input": f"in {number}", "output": f"out {number}"}


def make_task(**changed: Any) -> Task:
    content = {
        "Source": ["Quoref"],
        "Definition": ["Say what is asked"],
        "Positive Examples": [example(1), example(2), example(3)],
        "Instances": [{"id": "t-1", "input": " ask me ", "output": ["one ", "two"]}],
    } | changed
    return {key: value for key, value in content.items() if value is not None}


def checkout(folder: Path, train: dict[str, Task], unseen: dict[str, Task]) -> Path:
    (folder / "tasks").mkdir()
    (folder / "splits/default").mkdir(parents=True)
    for file, tasks in (("train_tasks.txt", train), ("test_tasks.txt", unseen)):
        (folder / "splits/default" / file).write_text("\n".join(tasks) + "\n\n")
        for name, task in tasks.items():
            (folder / f"tasks/{name}.json").write_text(json.dumps(task))
    # Its tokens are words; the settings for a model are not applied.
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.enable_truncation(5)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def read(path: Path, **prompt: Any) -> list[Instance]:
    return list(niv2.read(niv2.Settings.model_validate({"prompt": prompt}), path, path))


def first(folder: Path, task: Task, **options: Any) -> Instance:
    path = checkout(folder, {"task1_a": task}, {"task2_b": make_task()})
    return read(path, **options)[0]


def prompt(instance: Instance) -> str:
    assert instance.expand is not None
    return instance.expand()


def refused(path: Path) -> str:
    return refusal(lambda: read(path))


ODD = "task9_$(touch x)`y` {wildcard} 'q' %s\\n;&|>*?["


def test_only_listed_tasks_are_read_sorted_by_name(tmp_path: Path) -> None:
    path = checkout(tmp_path, {ODD: make_task(), "task1_a": make_task()}, {"task5_b": make_task()})
    (path / "tasks/task7_x.json").write_text("not listed, so not read")
    instances = read(path)
    assert instances[0].source == "quoref"
    assert instances[0].row == make_task()["Instances"][0]
    result = [(instance.task, instance.part, instance.id) for instance in instances]
    assert result == [
        *(("task1_a", "train", "t-1"), ("task5_b", "unseen", "t-1#2")),
        (ODD, "train", "t-1#3"),
    ]


def test_the_prompt_of_table_1(tmp_path: Path) -> None:
    assert prompt(first(tmp_path, make_task())) == (
        "Definition: Say what is asked.\n\n"
        " Positive Example 1 -\nInput: in 1.\n Output: out 1.\n\n"
        " Positive Example 2 -\nInput: in 2.\n Output: out 2.\n\n"
        "Now complete the following example -\nInput: ask me.\nOutput: "
    )
    (bare, *_) = read(tmp_path, definition=False, positive_examples=0)
    assert prompt(bare) == "Now complete the following example -\nInput: ask me.\nOutput: "


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(limit=st.integers(1, 60), lengths=st.lists(st.integers(1, 12), min_size=3, max_size=3))
def test_examples_are_kept_in_order_while_the_whole_prompt_fits(
    tmp_path_factory: pytest.TempPathFactory, limit: int, lengths: list[int]
) -> None:
    # An example has 7 words beside those of its input; definition and question have 15 together.
    examples = [{"input": " ".join("w" * length), "output": "o"} for length in lengths]
    total, kept = 15, 0
    for length in lengths:
        if total + 7 + length > limit:
            break
        total, kept = total + 7 + length, kept + 1
    instance = first(
        tmp_path_factory.mktemp("niv2"),
        make_task(**{"Positive Examples": examples}),
        positive_examples=3,
        source_tokens=limit,
    )
    assert prompt(instance).count("Positive Example") == kept
    assert len(prompt(instance).split()) == total


def test_the_tokenizer_is_required(tmp_path: Path) -> None:
    path = checkout(tmp_path, {"task1_a": make_task()}, {"task2_b": make_task()})
    message = "format 'niv2' counts tokens: give the base model's folder, --tokenizer"
    assert refusal(lambda: registry.read(niv2.Settings(), path)) == message
    file = path / "tokenizer.json"
    file.write_text("{")
    assert refused(path).startswith(f"{file}: no tokenizer")
    file.unlink()
    assert refused(path).startswith(f"{file}: no such file")


def test_only_the_first_instances_of_an_unseen_task(tmp_path: Path) -> None:
    many = make_task(Instances=[{"input": f"q{i}", "output": ["a"]} for i in range(120)])
    path = checkout(tmp_path, {"task1": many}, {"task2": many})
    asked = [i.messages[0]["content"] for i in read(path) if i.part == "unseen"]
    assert asked == [f"q{i}" for i in range(100)]
    # In another split they are limited too, whatever side the task was published on.
    sizes = {"unseen_tasks": 1, "specialist_per_task": 200, "train_per_task": None}
    settings = niv2.Settings.model_validate({"sample": {"split": "random", **sizes}})
    samples = (sample(settings, path, split, tokenizer=path) for split in ("specialist-0", "train"))
    assert [len(list(instances)) for instances in samples] == [100, 120]


def test_old_revisions_have_no_ids_no_source_and_one_definition(tmp_path: Path) -> None:
    instances = [{"input": f"q{i}", "output": f"a{i}"} for i in range(2)]
    old = make_task(Definition=" As a text. ", Source=None, Instances=instances)
    result = read(checkout(tmp_path, {"task051_CoSMoS-qa_x": old}, {"task2_b": make_task()}))[:2]
    assert [i.id for i in result] == ["task051_CoSMoS-qa_x-1", "task051_CoSMoS-qa_x-2"]
    assert [instance.references for instance in result] == [("a0",), ("a1",)]
    assert result[0].source == "cosmos"
    assert prompt(result[0]).startswith("Definition: As a text.\n\n Positive")


def test_empty_inputs_are_used_and_empty_outputs_are_not(tmp_path: Path) -> None:
    outputs: list[Any] = [["a"], [" "], [], "", ["b", ""]]
    task = make_task(Instances=[{"input": "", "output": output} for output in outputs])
    result = read(checkout(tmp_path, {"task1_a": task}, {"task2_b": make_task()}))[: len(outputs)]
    assert [bool(instance.messages) for instance in result] == [True, False, False, False, True]
    assert prompt(result[0]).endswith("example -\nInput: .\nOutput: ")
    assert result[4].references == ("b",)


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("splits/default/test_tasks.txt", "test_tasks.txt: no such file; the path must be a NIV2"),
        ("tasks/task1_a.json", "tasks/task1_a.json: no such file"),
        (None, "test_tasks.txt: task 'task1_a' is listed twice"),
    ],
)
def test_incomplete_checkouts_are_refused(tmp_path: Path, missing: str | None, named: str) -> None:
    unseen = "task2_b" if missing else "task1_a"
    path = checkout(tmp_path, {"task1_a": make_task()}, {unseen: make_task()})
    if missing:
        (path / missing).unlink()
    assert named in refused(path)


ROW = {"input": "q", "output": ["a"]}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Instances": {"input": "q"}}, "'Instances' is dict, not a list"),
        ({"Instances": [ROW, "text"]}, "instance 2: expected an object"),
        ({"Instances": [ROW, {"input": "q"}]}, "instance 2: key 'output' is missing"),
        ({"Instances": [{"input": "q", "output": [1]}]}, "instance 1: 'output' must be"),
        ({"Definition": None}, "'Definition' is missing"),
        ({"Definition": []}, "'Definition' is an empty list"),
        ({"Positive Examples": [{"input": "q"}]}, "'Positive Examples', example 1: key 'output'"),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path: Path, changed: Task, named: str) -> None:
    path = checkout(tmp_path, {"task1_a": make_task(**changed)}, {"task2_b": make_task()})
    message = refused(path)
    assert message.startswith(f"{path}/tasks/task1_a.json: ")
    assert named in message
    for content in (b"", b"[]", b"\xff\xfe", b"null"):
        (path / "tasks" / "task1_a.json").write_bytes(content)
        assert refused(path).startswith(f"{path}/tasks/task1_a.json: ")


@pytest.mark.parametrize("name", ["../secret", "{path}/secret", "x/../../secret", "a\0b"])
def test_a_task_outside_the_checkout_is_refused(tmp_path: Path, name: str) -> None:
    path = checkout(tmp_path, {}, {"task": make_task()})
    name = name.format(path=path)
    (path / "secret.json").write_text(json.dumps(make_task()))
    (path / "splits/default/train_tasks.txt").write_text(name)
    assert f"task {name!r} is not the name of a file in tasks/" in refused(path)
