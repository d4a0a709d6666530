"""Files of the user's own data, and how they are refused."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conversations import refusal

from nearfirst.data.formats import chat

Row = dict[str, Any]
TALK = [{"role": "user", "content": "Où?"}, {"role": "assistant", "content": "Là."}]
EXCHANGE = [("user", "Où?"), ("assistant", "Là.")]
SETTINGS = chat.Settings(path="pool")


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
in_every_file = pytest.mark.parametrize("file", WRITERS)


def refused(path: Path, task_column: str | None = None) -> str:
    settings = chat.Settings(path="pool", task_column=task_column)
    return refusal(lambda: chat.read(settings, path))
