"""The pool in training order: what each row holds, in both files, whatever the texts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import Program

from nearfirst.arrange import export
from nearfirst.common.embeddings import embeddings_table, read_embeddings
from nearfirst.common.parquet import ARRANGEMENT, INSTANCES, write_table
from nearfirst.distance.distances import distance_matrix

ODD = [
    'two\nlines, a "quote", a \\ and a \ttab',
    "line\u2028 and paragraph\u2029 separators, next\x85line, \x0b\x0c\x1c\x00",
    "Grüße, 你好, 🙂, e\u0301, \u202eright to left, \ufeff",
    "",
    "  blanks  ",
    "{}",
]
COUNT, TESTS = 45, ["te st", 'te"st', "t\u2028st", "täst"]


def make(folder: Path, order: list[int], rounds: list[int | None]) -> list[Any]:
    """Write the four tables of an export; return the program's command line."""
    generator = np.random.default_rng(0)
    ids = [f"id {i}" for i in range(COUNT)]
    talks = [
        [{"role": "user", "content": ODD[i % len(ODD)]}, {"role": "assistant", "content": f"{i}"}]
        * (1 + i % 2)
        for i in range(COUNT)
    ]
    tasks = [f"täsk-{i % 3}" for i in range(COUNT)]
    columns = {"id": ids, "task": tasks, "messages": talks, "references": [[]] * COUNT}
    write_table(pa.table(columns, schema=INSTANCES), folder / "I.parquet")
    for name, names in {"E1": ids, "E2": TESTS}.items():
        vectors = generator.normal(size=(len(names), 5)).astype(np.float32)
        write_table(embeddings_table(names, vectors), folder / f"{name}.parquet")
    columns = {"position": range(len(order)), "id": [ids[i] for i in order], "round": rounds}
    table = pa.table(columns, schema=ARRANGEMENT)
    # The order is given by the positions, not by the rows.
    write_table(table.take(generator.permutation(len(order))), folder / "A.parquet")
    names = {"arrangement": "A", "instances": "I", "train": "E1", "test": "E2", "parquet": "out"}
    flags = [f"--{flag}={folder / name}.parquet" for flag, name in names.items()]
    return ["export.py", *flags, f"--jsonl={folder / 'out.jsonl'}"]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Split lines as careless readers do: at every line end that Python knows."""
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("measure", "count"), [("cosine", COUNT), ("euclidean", 20)])
def test_every_row_is_the_instance_its_round_and_its_nearest_test(
    program: Program, tmp_path: Path, measure: str, count: int
) -> None:
    """The whole pool with rounds, or a part of it without."""
    order = np.random.default_rng(1).permutation(COUNT)[:count].tolist()
    rounds = [1 + i // 10 if count == COUNT else None for i in range(count)]
    flags = make(tmp_path, order, rounds)
    program(*flags, "--measure", measure, check=True)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["position"].to_pylist() == list(range(count))
    assert table["round"].to_pylist() == rounds
    pool = pq.read_table(tmp_path / "I.parquet").take(order)
    for name in ("id", "task"):
        assert table[name].to_pylist() == pool[name].to_pylist()
    talks = [
        [{"role": turn["role"], "content": turn["content"]} for turn in talk]
        for talk in pool["messages"].to_pylist()
    ]
    assert table["messages"].to_pylist() == talks
    train, test = (read_embeddings(tmp_path / f"E{i}.parquet")[1] for i in (1, 2))
    matrix = distance_matrix(measure, train, test)[order] + (measure == "cosine")  # 1 - cos
    np.testing.assert_allclose(table["distance"], matrix.min(axis=1), rtol=0, atol=1e-6)
    assert table["nearest_query"].to_pylist() == [TESTS[i] for i in matrix.argmin(axis=1)]
    assert read_lines(tmp_path / "out.jsonl") == table.to_pylist()
    assert "Grüße, 你好, 🙂" in (tmp_path / "out.jsonl").read_text(encoding="utf-8")


def test_a_row_is_as_it_was_read_in_both_files(program: Program, tmp_path: Path) -> None:
    flags = make(tmp_path, [2, 0, 1], [1, 1, 2])
    rows = [
        {"messages": [{"role": "system", "content": "Be brief."}], "position": "left", "n": 1},
        {"n": "one", "tags": ["a"], "id": 7, "meta": {}, "tools": [{"parameters": {}}]},
        {"instruction": "x", "output": "y", "n": None},
        *[{"n": 2}] * (COUNT - 3),
    ]
    table = pq.read_table(tmp_path / "I.parquet")
    texts = pa.array([json.dumps(row) for row in rows])
    write_table(table.append_column("row", texts), tmp_path / "I.parquet")
    done = program(*flags, check=True)
    assert done.stderr.endswith("all of their values: n, id, meta, tools\n")
    lines = read_lines(tmp_path / "out.jsonl")
    assert [line["id"] for line in lines] == ["id 2", "id 0", 7]
    assert [line["position"] for line in lines] == [0, 1, 2]
    expected = [{**rows[i]} for i in (2, 0, 1)]
    expected[1]["original_position"] = expected[1].pop("position")
    for line, row in zip(lines, expected, strict=True):
        assert row.items() <= line.items()
    columns = pq.read_table(tmp_path / "out.parquet")
    assert columns["n"].to_pylist() == [None, "1", "one"]
    assert columns["tags"].to_pylist() == [None, None, ["a"]]
    # Parquet has no object without keys.
    assert columns["meta"].to_pylist() == [None, None, "{}"]
    assert columns["tools"].to_pylist() == [None, None, '[{"parameters": {}}]']
    assert columns["instruction"].to_pylist() == ["x", None, None]


@given(
    st.integers(1, 30).flatmap(
        lambda size: st.lists(st.integers(0, size - 1), min_size=1, max_size=size, unique=True).map(
            lambda order: (size, order)
        )
    ),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_pieces_of_any_size_give_the_same_rows(
    size_and_order: tuple[int, list[int]], piece: int, rows: int
) -> None:
    size, order = size_and_order
    instances = [{"id": f"{i}", "task": "t", "messages": []} for i in range(size)]
    pool = pa.Table.from_pylist(instances).to_batches(max_chunksize=piece)
    rounds = pa.chunked_array([pa.array([i + 1], pa.int32()) for i in order])
    distances = np.arange(size, dtype=np.float32)
    nearest = np.arange(size) % 2
    batches = export.annotated_rows(
        pool, np.array(order), rounds, distances, ["a", "b"], nearest, rows
    )
    keys = ("position", "id", "round", "distance", "nearest_query")
    assert [tuple(row[key] for key in keys) for batch in batches for row in batch] == [
        (position, f"{i}", i + 1, i, "ab"[i % 2]) for position, i in enumerate(order)
    ]


def test_long_rows_come_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TEXT", 5000)
    texts = ["short"] * 20 + ["long" * 500] * 20
    rows = [json.dumps({"n": n, "text": text}) for n, text in enumerate(texts)]
    pool = pa.table({"row": rows}).to_batches(max_chunksize=20)
    order = [*range(20), *range(39, 19, -1)]
    blocks = [[row["n"] for row in block] for block in export.original_rows(pool, np.array(order))]
    assert [n for block in blocks for n in block] == order
    assert blocks[0][:20] == order[:20]
    assert max(map(len, blocks[1:])) <= 3


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_line_is_one_for_every_reader(text: str) -> None:
    (only,) = export.to_json_line({"text": text}).splitlines()
    assert json.loads(only) == {"text": text}
