"""The readers of the two dialogue sets: ShareGPT and NoRobots. Turns are tested with own data."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conversations import refusal, texts

from nearfirst.data.conversation import Instance
from nearfirst.data.formats import norobots, sharegpt

TALK = [("system", " Be brief. "), ("user", "What is it?"), ("assistant", "A cat.")]
EXPECTED = [("user", "Be brief.\n\nWhat is it?"), ("assistant", "A cat.")]
NAMES = {"system": "system", "user": "human", "assistant": "gpt"}


def read(reader: Any, path: Path) -> list[Instance]:
    return list(reader.read(reader.Settings(), path))


def write_norobots(file: Path) -> list[dict[str, Any]]:
    messages = [{"content": text, "role": role} for role, text in TALK]
    rows = [
        {"prompt": "as there", "prompt_id": f"id{n}", "messages": messages, "category": f"task {n}"}
        for n in range(2)
    ]
    file.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=norobots.COLUMNS), file)
    return rows


def test_sharegpt(tmp_path: Path) -> None:
    turns = [{"from": NAMES[role], "value": text} for role, text in TALK]
    rows = [{"id": "x", "items": turns}, {"items": turns}, {"id": "x", "items": []}]
    (tmp_path / "sharegpt_gpt4.json").write_text(json.dumps(rows))
    instances = read(sharegpt, tmp_path)
    ids = ["x", "sharegpt_2", "x#2"]
    assert [(i.id, i.task) for i in instances] == [(id_, "sharegpt") for id_ in ids]
    assert [texts(i) for i in instances] == [EXPECTED, EXPECTED, []]
    assert [i.row for i in instances] == rows


def test_norobots_of_all_files_also_in_the_data_folder(tmp_path: Path) -> None:
    for split in ("train", "test"):
        rows = write_norobots(tmp_path / f"data/{split}-00000-of-00001.parquet")
    instances = read(norobots, tmp_path)
    assert [i.id for i in instances] == ["id0", "id1", "id0#2", "id1#2"]
    assert [i.task for i in instances[:2]] == ["task 0", "task 1"]
    assert [texts(i) for i in instances] == [EXPECTED] * 4
    assert [i.row for i in instances] == rows * 2
    assert "test-00000" in instances[0].where
    assert len(read(norobots, tmp_path / "data/train-00000-of-00001.parquet")) == 2


@pytest.mark.parametrize("reader", [sharegpt, norobots])
def test_missing_files(tmp_path: Path, reader: Any) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        assert refusal(lambda path=path: read(reader, path)).startswith(f"{path}: ")
