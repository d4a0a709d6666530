"""The readers of the two dialogue sets: ShareGPT and NoRobots."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nearfirst.common.errors import InputError
from nearfirst.data import sample
from nearfirst.data.conversation import Instance
from nearfirst.data.formats import flan, registry
from nearfirst.data.formats.norobots import COLUMNS

Turns = list[tuple[str, str | None]]
QUESTION: Turns = [("user", "What is it?"), ("assistant", "A cat.")]
NAMES = {"user": "human", "assistant": "gpt"}


def sharegpt(folder: Path, dialogues: list[Turns]) -> Path:
    rows = [
        {"items": [{"from": NAMES.get(role, role), "value": text} for role, text in dialogue]}
        for dialogue in dialogues
    ]
    (folder / "sharegpt_gpt4.json").write_text(json.dumps(rows))
    return folder


def norobots(folder: Path, dialogues: list[Turns]) -> Path:
    rows = [
        {
            "prompt": "as in the first turn",
            "prompt_id": f"id{number}",
            "messages": [{"content": text, "role": role} for role, text in dialogue],
            "category": f"category {number % 2}",
        }
        for number, dialogue in enumerate(dialogues)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=COLUMNS), folder / "train.parquet")
    return folder


FORMS = {
    "sharegpt": (sharegpt, registry.settings_class("sharegpt")()),
    "norobots": (norobots, registry.settings_class("norobots")()),
}
both = pytest.mark.parametrize("form", FORMS)


def read(form: str, path: Path) -> list[Instance]:
    return list(registry.read(FORMS[form][1], path))


def written(form: str, folder: Path, *dialogues: Turns) -> list[Instance]:
    return read(form, FORMS[form][0](folder, list(dialogues)))


def texts(instance: Instance) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in instance.messages]


def refusal(form: str, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(form, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_ids_and_tasks(tmp_path: Path) -> None:
    found = written("sharegpt", tmp_path, QUESTION, QUESTION)
    assert [(i.id, i.task) for i in found] == [
        ("sharegpt_1", "sharegpt"),
        ("sharegpt_2", "sharegpt"),
    ]
    found = written("norobots", tmp_path, QUESTION, QUESTION)
    assert [(i.id, i.task) for i in found] == [("id0", "category 0"), ("id1", "category 1")]
    assert {(i.part, i.references, i.expand) for i in found} == {(None, (), None)}


@both
def test_all_exchanges_are_kept(tmp_path: Path, form: str) -> None:
    (instance,) = written(form, tmp_path, [*QUESTION, ("user", "And now?"), ("assistant", "Gone.")])
    assert texts(instance) == [*QUESTION, ("user", "And now?"), ("assistant", "Gone.")]
    assert instance.dropped == 0


@both
def test_empty_answers_are_unusable(tmp_path: Path, form: str) -> None:
    answers = ["", " \n", None]
    found = written(form, tmp_path, *([("user", "q"), ("assistant", a)] for a in answers), [])
    assert [instance.messages for instance in found] == [[], [], [], []]


@both
def test_a_dialogue_that_begins_with_the_assistant_is_unusable(tmp_path: Path, form: str) -> None:
    first: Turns = [("assistant", "Hello!"), *QUESTION]
    found = written(form, tmp_path, QUESTION, first, [("system", "Be brief."), *first])
    assert [bool(instance.messages) for instance in found] == [True, False, False]
    with pytest.raises(InputError, match=r": row 2 \(begins with the assistant\) \(id '"):
        sample.take_inventory(found, skip_unusable=False)
    assert sample.take_inventory(found, skip_unusable=True).unusable == 2


@both
def test_system_turns_come_before_the_next_question(tmp_path: Path, form: str) -> None:
    system = ("system", " Be brief. ")
    more: Turns = [
        ("system", "Now in verse."),
        ("user", ""),
        ("user", "Why?"),
        ("assistant", "So."),
    ]
    once, again, late = written(
        form, tmp_path, [system, *QUESTION], [system, *QUESTION, *more], [*QUESTION, system]
    )
    asked = ("user", "Be brief.\n\nWhat is it?")
    assert (texts(once), once.dropped) == ([asked, QUESTION[1]], 0)
    assert texts(again)[2:] == [("user", "Now in verse.\n\nWhy?"), ("assistant", "So.")]
    assert again.dropped == 1  # the empty question
    assert (texts(late), late.dropped) == (QUESTION, 1)


@both
def test_an_unknown_speaker_is_refused(tmp_path: Path, form: str) -> None:
    path = FORMS[form][0](tmp_path, [QUESTION, [("bing", "hello")]])
    message = refusal(form, path)
    assert ": row 2: a turn is from 'bing'; expected '" in message


@both
def test_what_is_not_there(tmp_path: Path, form: str) -> None:
    assert refusal(form, tmp_path).startswith(f"{tmp_path}: ")
    assert "no such file" in refusal(form, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"conversations": []}], "key 'items' is missing; found conversations"),
        ([{"items": None}], "key 'items' is missing; found items"),
        ([{"items": {}}], "'items' must be a list"),
        (["text"], "expected an object, found str"),
        ([{"items": [{"from": "human", "value": 3}]}], "value is int, not text"),
        ([{"items": ["hello"]}], "a turn is from None"),
        ([{"items": [{"from": ["gpt"], "value": ""}]}], "a turn is from ['gpt']"),
    ],
)
def test_sharegpt_rows_of_another_form_are_named(tmp_path: Path, rows: Any, named: str) -> None:
    file = tmp_path / "sharegpt_gpt4.json"
    file.write_text(json.dumps(rows))
    message = refusal("sharegpt", file)
    assert message.startswith(f"{file}: row 1: ")
    assert named in message


def test_sharegpt_is_read_as_a_stream_with_its_own_ids(tmp_path: Path) -> None:
    rows = [{"id": "x", "items": []}, {"items": []}, {"id": "x", "items": []}]
    file = tmp_path / "sharegpt_gpt4.json"
    file.write_text(json.dumps(rows)[:-1])
    reader = registry.read(registry.settings_class("sharegpt")(), file)
    assert [next(reader).id for _ in rows] == ["x", "sharegpt_2", "x#2"]
    with pytest.raises(InputError, match="cut off or damaged after row 3"):
        next(reader)


def test_norobots_reads_all_files_also_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = pq.read_table(norobots(tmp_path, [QUESTION, QUESTION]))
    (tmp_path / "train.parquet").unlink()
    for name in ("train-00000-of-00001", "test-00000-of-00001"):
        pq.write_table(table, tmp_path / "data" / f"{name}.parquet")
    found = read("norobots", tmp_path)
    assert [instance.id for instance in found] == ["id0", "id1", "id0#2", "id1#2"]
    assert "test-00000" in found[0].where
    alone = read("norobots", tmp_path / "data" / "train-00000-of-00001.parquet")
    assert [instance.id for instance in alone] == ["id0", "id1"]


@pytest.mark.parametrize("column", COLUMNS.names)
def test_norobots_columns_are_checked(tmp_path: Path, column: str) -> None:
    file = norobots(tmp_path, [QUESTION]) / "train.parquet"
    table = pq.read_table(file)
    pq.write_table(table.drop_columns([column]), file)
    assert f"{file}: column '{column}' is missing; the file has" in refusal("norobots", tmp_path)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.array([1])), file)
    assert f"{file}: column '{column}' holds int64" in refusal("norobots", tmp_path)


@pytest.mark.parametrize("column", ["prompt_id", "category"])
def test_norobots_rows_need_id_and_category(tmp_path: Path, column: str) -> None:
    file = norobots(tmp_path, [QUESTION]) / "train.parquet"
    table = pq.read_table(file)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.array([None], pa.string())), file)
    assert refusal("norobots", tmp_path) == f"{file}: row 1: column '{column}' is empty"


def test_flan_is_found_in_its_folder_and_has_sources(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    tasks = {
        "task851_synthetic_multiply_evens": "synthetic",
        "quoref_Guess_Answer": "quoref",
        "coqa:1.0.0": "coqa",
        "Alpaca": "alpaca",
        "glue/mrpc:2.0.0": "glue",
        "cosmos_qa": "cosmos",
        "task12": "task12",
        "_": "_",
    }
    rows = [{"id": task, "source": task, "conversations": turns} for task in tasks]
    with zipfile.ZipFile(tmp_path / "flan_mini.json.zip", "w") as archive:
        archive.writestr("flan_mini.json", json.dumps(rows))
    found = list(registry.read(flan.Settings(), tmp_path))
    assert {instance.task: instance.source for instance in found} == tasks
    (tmp_path / "flan_mini.json").write_text(json.dumps(rows[:1]))
    assert len(list(flan.read(flan.Settings(), tmp_path))) == 1
