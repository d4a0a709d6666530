"""Data of one's own: every form of file and of row, as conversations."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nearfirst.data.conversation import Instance
from nearfirst.data.formats import chat, registry
from nearfirst.data.readers import chat_rows

Row = dict[str, Any]
TALK = [{"role": "user", "content": "Où?"}, {"role": "assistant", "content": "Là."}]
ASKED = [("user", "Où?"), ("assistant", "Là.")]


def lines(path: Path, *rows: Row) -> Path:
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def parquet(path: Path, *rows: Row) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def array(path: Path, *rows: Row) -> Path:
    path.write_text(json.dumps(list(rows)), encoding="utf-8")
    return path


WRITERS = {"pool.jsonl": lines, "pool.parquet": parquet, "pool.json": array}


def texts(instance: Instance) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in instance.messages]


FORMS: dict[str, tuple[Row, list[tuple[str, str]]]] = {
    "messages": ({"messages": TALK}, ASKED),
    "messages with a system turn": (
        {"messages": [{"role": "system", "content": "In French."}, *TALK]},
        [("user", "In French.\n\nOù?"), ASKED[1]],
    ),
    "several exchanges": ({"messages": [*TALK, *TALK]}, [*ASKED, *ASKED]),
    "ShareGPT": (
        {"conversations": [{"from": "human", "value": "Où?"}, {"from": "gpt", "value": "Là."}]},
        ASKED,
    ),
    "prompt and completion": ({"prompt": "Où?", "completion": "Là."}, ASKED),
    "their turns": ({"prompt": TALK[:1], "completion": TALK[1:]}, ASKED),
    "turns before a completion": ({"prompt": [*TALK, *TALK[:1]], "completion": "Là."}, ASKED * 2),
    "Alpaca": (
        {"instruction": "Translate.", "input": "there", "output": "là"},
        [("user", "Translate.\n\nthere"), ("assistant", "là")],
    ),
    "Alpaca without input": (
        {"instruction": "Smile.", "input": "", "output": ":)"},
        [("user", "Smile."), ("assistant", ":)")],
    ),
    "messages beside a prompt": ({"prompt": "x", "completion": "y", "messages": TALK}, ASKED),
}


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_every_kind_of_file(tmp_path: Path, file: str, form: str) -> None:
    row, expected = FORMS[form]
    path = WRITERS[file](tmp_path / file, row, row)
    found = list(registry.read(chat.Settings(path=str(path)), path))
    assert [texts(instance) for instance in found] == [expected] * 2
    assert [(i.id, i.task, i.source, i.references) for i in found] == [
        ("mine_1", "mine", "", ()),
        ("mine_2", "mine", "", ()),
    ]


def test_what_else_a_row_may_say(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": "a", "kind": "where", "source": "book", "references": ["Là.", "Ici."]},
        {"id": "a", "kind": "where", "references": "Ici."},
        {"id": 7, "kind": 3, "source": None, "references": None},
        {"id": None, "kind": "x", "notes": [1]},
    ]
    path = lines(tmp_path / "pool.jsonl", *({"messages": TALK, **row} for row in rows))
    found = list(chat.read(chat.Settings(task_column="kind"), path))
    assert [(i.id, i.task, i.source, i.references) for i in found] == [
        ("a", "where", "book", ("Là.", "Ici.")),
        ("a#2", "where", "", ("Ici.",)),
        ("7", "3", "", ()),
        ("mine_4", "x", "", ()),
    ]


def test_a_test_file_may_lack_the_column_of_tasks(tmp_path: Path) -> None:
    path = lines(tmp_path / "test.jsonl", {"messages": TALK})
    (found,) = chat.read(
        chat.Settings(task_column="kind"), path, "mine_test", task_is_optional=True
    )
    assert (found.id, found.task) == ("mine_test_1", "mine")


def test_a_folder_is_read_by_name_and_numbered_through(tmp_path: Path) -> None:
    parquet(tmp_path / "b.parquet", {"prompt": "Où?", "completion": "Là."})
    lines(tmp_path / "a.jsonl", {"messages": TALK}, {"messages": TALK})
    array(tmp_path / "dataset_info.json", {"no": "data"})
    (tmp_path / "notes.txt").write_text("No data.")
    found = list(chat.read(chat.Settings(), tmp_path))
    assert [i.id for i in found] == ["mine_1", "mine_2", "mine_3"]
    assert [Path(i.where.partition(":")[0]).name for i in found] == ["a.jsonl"] * 2 + ["b.parquet"]
    assert [texts(i) for i in found] == [ASKED] * 3


def test_compressed_lines_and_a_byte_order_mark_and_blank_lines(tmp_path: Path) -> None:
    text = f"\ufeff{json.dumps({'messages': TALK})}\r\n\n  \n{json.dumps({'messages': TALK})}"
    data = text.encode()
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(data))
    with pa.output_stream(str(tmp_path / "c.jsonl.zst")) as stream:  # compresses by the name
        stream.write(data)
    found = list(chat.read(chat.Settings(), tmp_path))
    assert [texts(i) for i in found] == [ASKED] * 6
    assert [i.where.rpartition(": ")[2] for i in found] == ["line 1", "line 4"] * 3


def test_a_file_is_read_as_a_stream(tmp_path: Path) -> None:
    path = lines(tmp_path / "pool.jsonl", {"messages": TALK})
    with path.open("a") as file:
        file.write("{broken")
    reader = chat.read(chat.Settings(), path)
    assert next(reader).id == "mine_1"


def test_parquet_is_decoded_piece_by_piece_and_only_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_rows, "_BATCH", 2)
    rows = [{"messages": TALK, "vector": [1.0] * 9} for _ in range(5)]
    path = parquet(tmp_path / "pool.parquet", *rows)
    read = [row for _, row in chat_rows.rows(path, {"messages", "id"})]
    assert read == [{"messages": TALK}] * 5
    assert [i.where for i in chat.read(chat.Settings(), path)][-1] == f"{path}: row 5"
