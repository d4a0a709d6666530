"""The tables between stages: what a read accepts, and how it refuses the rest."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import refusal

from nearfirst.common import parquet
from nearfirst.common.embeddings import read_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import (
    ID_AND_TASK,
    INSTANCES,
    open_parquet,
    read_batches,
    read_table,
    write_rows,
    write_table,
)
from nearfirst.data.instances import conversations, read_instances

TALK = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "ä"}]
READ = [{**message, "trained": None} for message in TALK]


def instance_columns(count: int = 3) -> dict[str, list[Any]]:
    return {
        "id": [f"id-{i}" for i in range(count)],
        "task": ["t"] * count,
        "messages": [TALK] * count,
        "references": [["ä"]] * count,
    }


def instances(**changed: Any) -> pa.Table:
    return pa.table({**instance_columns(), **changed}, schema=INSTANCES)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.parquet"


def test_damaged_metadata_are_told_of(path: Path) -> None:
    """pyarrow aborts the process where it reads the metadata of a damaged column."""
    write_table(pa.table({"id": ["a", "b"], "task": ["t", "t"]}), path)
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    refused = 0
    for offset in range(len(content) - footer, len(content)):
        path.write_bytes(content[:offset] + bytes([content[offset] ^ 64]) + content[offset + 1 :])
        try:
            assert read_table(path, ID_AND_TASK).num_rows == 2
        except InputError as error:
            refused += f"{path}: " in str(error)
    assert refused > footer / 3


def test_long_rows_are_written_and_read_a_few_at_a_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "TEXT", 4000)
    rows = [
        {"id": f"{i}", "task": "t", "messages": [{"role": "user", "content": f"{i} " * repeats}]}
        for i, repeats in enumerate([2] * 50 + [400] * 10)
    ]
    assert write_rows(iter(rows), INSTANCES, path) == 60
    groups = pq.read_metadata(path)
    sizes = [groups.row_group(group).num_rows for group in range(groups.num_row_groups)]
    assert sizes[0] > 50
    assert max(sizes[1:]) <= 4  # 3 x 1,200 characters are fewer than 4,000
    with open_parquet(path) as file:
        read = {
            name: [len(batch) for batch in read_batches(file, [name])]
            for name in ("id", "messages")
        }
    assert {name: sum(counts) for name, counts in read.items()} == {"id": 60, "messages": 60}
    assert max(map(max, read.values())) <= 4
    assert [len(talk[0]["content"]) for talk in conversations(read_instances(path))] == [
        len(row["messages"][0]["content"]) for row in rows
    ]


def test_what_is_written_is_read_with_its_metadata(path: Path) -> None:
    table = instances()
    write_table(table, path, {"left_out": "7"})
    read = read_table(path, INSTANCES)
    assert read.equals(table)
    assert pq.read_schema(path).metadata[b"left_out"] == b"7"
    assert conversations(read) == [READ] * 3


def test_large_types_other_names_orders_and_further_columns_do_not_matter(path: Path) -> None:
    text = pa.large_string()
    message = pa.struct({"content": text, "role": text})
    schema = pa.schema(
        {
            "references": pa.large_list(pa.field("element", text)),
            "messages": pa.list_(pa.field("element", message, nullable=False)),
            "task": text,
            "id": text,
        }
    )
    table = pa.table(instance_columns(), schema=schema)
    pq.write_table(table.append_column("more", pa.array([1, 2, 3])), path)
    assert read_table(path, INSTANCES).equals(instances())


# What each table refuses -------------------------------------------------------------------------


def test_missing_or_damaged_files(path: Path) -> None:
    assert "no such file" in refusal(path, read_embeddings)
    for content in (b"", b"id,task\n1,2\n", b"PAR1" + bytes(50) + b"PAR1"):
        path.write_bytes(content)
        assert "Parquet" in refusal(path, read_embeddings)


def test_missing_columns_rows_and_ids(path: Path) -> None:
    pq.write_table(instances().drop_columns("task"), path)
    assert "'task' is missing; the file has id, messages" in refusal(path, read_table, INSTANCES)
    pq.write_table(INSTANCES.empty_table(), path)
    assert "no rows" in refusal(path, read_table, INSTANCES)
    pq.write_table(instances(id=["a", None, "c"]), path)
    assert "row 1" in refusal(path, read_table, INSTANCES)
    pq.write_table(instances(id=["a", "b", "b"]), path)
    assert "id 'b' stands in 2 rows" in refusal(path, read_table, INSTANCES)
    assert read_table(path, INSTANCES, unique=None).num_rows == 3


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("id", [1, 2, 3]),
        ("messages", ["hello"] * 3),
        ("messages", [[{"from": "human", "value": "q"}]] * 3),
        ("messages", [[{"role": 1, "content": "q"}]] * 3),
        ("references", [[1]] * 3),
    ],
)
def test_wrong_type_is_named(path: Path, column: str, values: list[Any]) -> None:
    pq.write_table(pa.table({**instance_columns(), column: values}), path)
    assert f"'{column}' holds" in refusal(path, read_table, INSTANCES)
