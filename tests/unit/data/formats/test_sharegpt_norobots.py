"""The readers of the two dialogue sets: ShareGPT and NoRobots."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conversations import refusal, texts

from nearfirst.data.conversation import Instance
from nearfirst.data.formats import norobots, sharegpt

Turns = list[tuple[str, str | None]]
QUESTION: Turns = [("user", "What is it?"), ("assistant", "A cat.")]
NAMES = {"user": "human", "assistant": "gpt"}


def write_sharegpt(folder: Path, *dialogues: Turns) -> Path:
    rows = [
        {"items": [{"from": NAMES.get(role, role), "value": text} for role, text in dialogue]}
        for dialogue in dialogues
    ]
    (folder / "sharegpt_gpt4.json").write_text(json.dumps(rows))
    return folder


def write_norobots(folder: Path, *dialogues: Turns) -> Path:
    rows = [
        {
            "prompt": "as in the first turn",
            "prompt_id": f"id{number}",
            "messages": [{"content": text, "role": role} for role, text in dialogue],
            "category": f"category {number % 2}",
        }
        for number, dialogue in enumerate(dialogues)
    ]
    table = pa.Table.from_pylist(rows, schema=norobots.COLUMNS)
    pq.write_table(table, folder / "train.parquet")
    return folder


FORMATS: dict[Any, Any] = {sharegpt: write_sharegpt, norobots: write_norobots}
both = pytest.mark.parametrize("reader", FORMATS)


def read(reader: Any, path: Path) -> list[Instance]:
    return list(reader.read(reader.Settings(), path))


def refused(reader: Any, path: Path) -> str:
    return refusal(lambda: read(reader, path))


def test_ids_tasks_and_rows(tmp_path: Path) -> None:
    rows = [{"id": "x", "items": []}, {"items": []}, {"id": "x", "items": []}]
    (tmp_path / "sharegpt_gpt4.json").write_text(json.dumps(rows))
    instances = read(sharegpt, tmp_path)
    ids = ["x", "sharegpt_2", "x#2"]
    assert [(i.id, i.task) for i in instances] == [(id_, "sharegpt") for id_ in ids]
    assert [i.row for i in instances] == rows
    instances = read(norobots, write_norobots(tmp_path, QUESTION, QUESTION))
    assert [(i.id, i.task) for i in instances] == [("id0", "category 0"), ("id1", "category 1")]
    assert [i.row for i in instances] == pq.read_table(tmp_path / "train.parquet").to_pylist()


@both
def test_exchanges_and_system_turns_are_kept_and_empty_answers_left_out(
    tmp_path: Path, reader: Any
) -> None:
    system, more = ("system", " Be brief. "), [("user", "And now?"), ("assistant", "Gone.")]
    empty: list[Turns] = [[("user", "q"), ("assistant", answer)] for answer in ("", " \n", None)]
    path = FORMATS[reader](tmp_path, [system, *QUESTION, *more], *empty, [])
    first, *others = read(reader, path)
    asked = ("user", "Be brief.\n\nWhat is it?")
    assert (texts(first), first.dropped) == ([asked, QUESTION[1], *more], 0)
    assert [instance.messages for instance in others] == [[], [], [], []]


@both
def test_unknown_speakers_and_missing_files(tmp_path: Path, reader: Any) -> None:
    assert refused(reader, tmp_path).startswith(f"{tmp_path}: ")
    assert "no such file" in refused(reader, tmp_path / "nowhere")
    path = FORMATS[reader](tmp_path, QUESTION, [("bing", "hello")])
    assert "): a turn is from 'bing'; expected one of user" in refused(reader, path)


def test_norobots_reads_all_files_also_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = pq.read_table(write_norobots(tmp_path, QUESTION, QUESTION))
    (tmp_path / "train.parquet").unlink()
    for name in ("train-00000-of-00001", "test-00000-of-00001"):
        pq.write_table(table, tmp_path / "data" / f"{name}.parquet")
    instances = read(norobots, tmp_path)
    assert [instance.id for instance in instances] == ["id0", "id1", "id0#2", "id1#2"]
    assert "test-00000" in instances[0].where
    single = read(norobots, tmp_path / "data" / "train-00000-of-00001.parquet")
    assert [instance.id for instance in single] == ["id0", "id1"]


@pytest.mark.parametrize("column", norobots.COLUMNS.names)
def test_norobots_columns_are_checked(tmp_path: Path, column: str) -> None:
    file = write_norobots(tmp_path, QUESTION) / "train.parquet"
    table = pq.read_table(file)
    pq.write_table(table.drop_columns([column]), file)
    assert f"{file}: column '{column}' is missing; the file has" in refused(norobots, tmp_path)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.array([1])), file)
    assert f"{file}: column '{column}' holds int64" in refused(norobots, tmp_path)
