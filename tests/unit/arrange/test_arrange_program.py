"""The program: flags and tables in, an arrangement out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pools import settings
from programs import Program

from nearfirst.arrange.inputs import read_pool
from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import arrange
from nearfirst.common.embeddings import write_embeddings
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import ARRANGEMENT
from nearfirst.data.half import half_mask
from nearfirst.distance.distances import BY_ROWS

TRAIN, TEST = [f"train-{i}" for i in range(60)], [f"test-{i}" for i in range(9)]


def embed(path: Path, ids: list[str], seed: int) -> npt.NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(1, size=(len(ids), 8)).astype(np.float32)
    write_embeddings(ids, vectors, path)
    return vectors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the tables E1 and E2."""
    embed(tmp_path / "E1.parquet", TRAIN, 0)
    embed(tmp_path / "E2.parquet", TEST, 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


TABLES = "--train E1.parquet --test E2.parquet"


@pytest.mark.parametrize(
    ("measure", "method"),
    [("euclidean", "tma"), ("cosine", "wsd"), ("cosine", "optimal-transport")],
)
def test_an_existing_matrix_gives_the_same_bytes(
    program: Program, folder: Path, measure: str, method: str
) -> None:
    command = f"{TABLES} --matrix D.npy --measure {measure}".split()
    program("distances.py", *command, check=True)
    settings = f'--settings {{"method":"{method}","order":"farthest"}}'
    command = f"{TABLES} {settings} --measure {measure} --output".split()
    program("arrange.py", *command, "computed", check=True)
    program("arrange.py", *command, "read", "--distances", "D.npy", check=True)
    assert (folder / "computed").read_bytes() == (folder / "read").read_bytes()


@pytest.mark.parametrize(
    "parameters",
    [
        {"method": "random"},
        {"method": "wsd", "granularity": "task", "order": "farthest"},
        {"method": "tma", "budget": 25, "select": "last", "farthest": "argmax"},
    ],
    ids=str,
)
def test_the_program_gives_the_order_of_the_library(
    program: Program, folder: Path, write_instances: Any, some_talks: Any, parameters: Any
) -> None:
    ids = write_instances(folder / "I.parquet", some_talks(60))
    train = embed(folder / "E1.parquet", ids, 0)
    row = settings(**parameters)
    tables = f"{TABLES} --instances I.parquet --seed 5 --output A.parquet --settings"
    program("arrange.py", *tables.split(), row.canonical(), check=True)
    test = embed(folder / "E2.parquet", ids[:9], 1)
    tasks = pq.read_table("I.parquet")["task"].to_pylist()
    distances = BY_ROWS["cosine"](train, test)
    expected = arrange(Pool(60, tasks, train, test, distances), row, 5)
    table = pq.read_table("A.parquet")
    assert table.schema.equals(ARRANGEMENT)
    assert table["position"].to_pylist() == list(range(len(expected.order)))
    assert table["id"].to_pylist() == [ids[i] for i in expected.order]
    rounds = [None] * len(expected.order) if expected.rounds is None else expected.rounds.tolist()
    assert table["round"].to_pylist() == rounds


@pytest.mark.parametrize(
    ("method", "flags", "named"),
    [
        ("tma", f"{TABLES} --instances J.parquet", "E1.parquet: its ids, in this order, are not"),
        ("tma", f"{TABLES} --distances D.npy", "shape (9, 60)"),
        ("tma", "--train E1.parquet", "needs --test"),
        ("round-robin", TABLES, "'round-robin' needs --instances"),
    ],
)
def test_the_program_fails_with_one_line_and_writes_nothing(
    program: Program, folder: Path, method: str, flags: str, named: str
) -> None:
    pq.write_table(pa.table({"id": TRAIN[::-1], "task": ["a"] * 60}), "J.parquet")
    np.save("D.npy", np.zeros((9, 60), np.float32))
    before = set(folder.iterdir())
    settings = json.dumps({"method": method})
    done = program("arrange.py", *flags.split(), "--settings", settings, "--output", "A.parquet")
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.split("\n") if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert named in errors[0]
    assert set(folder.iterdir()) == before


def test_the_arrangement_identifies_itself(
    program: Program, folder: Path, write_instances: Any, some_talks: Any
) -> None:
    write_instances(folder / "I.parquet", some_talks(5), dataset="flan", test="train")
    command = "--instances I.parquet --name RT --seed 3 --output A.parquet --settings"
    program("arrange.py", *command.split(), '{"method":"random"}', check=True)
    expected = {"dataset": "flan", "arrangement": "RT", "seed": "3", "pool": "5"}
    assert read_identity(folder / "A.parquet") == expected


def test_an_order_for_half_of_the_queries(program: Program, folder: Path) -> None:
    vectors, mask = embed(folder / "E2.parquet", TEST, 1), half_mask(TEST)
    ids = np.array(TEST)[mask].tolist()
    assert len(ids) == 5
    write_embeddings(ids, vectors[mask], folder / "E3.parquet")
    half = f"{TABLES} --output half --settings".split()
    whole = ["--train", "E1.parquet", "--test", "E3.parquet", "--output", "whole", "--settings"]
    program("arrange.py", *half, '{"method":"tma","queries":"half"}', check=True)
    program("arrange.py", *whole, '{"method":"tma"}', check=True)
    assert pq.read_table("half").equals(pq.read_table("whole"))
    # The same of an existing matrix, which has all of the queries.
    program("distances.py", *TABLES.split(), "--matrix", "D.npy", check=True)
    program(
        "arrange.py", *half, '{"method":"tma","queries":"half"}', "--distances", "D.npy", check=True
    )
    assert pq.read_table("half").equals(pq.read_table("whole"))


def test_the_messages_of_half_of_the_queries(
    folder: Path, write_instances: Any, some_talks: Any
) -> None:
    talks = some_talks(9, seed=1)
    ids = write_instances(folder / "Q.parquet", talks)
    write_instances(folder / "I.parquet", some_talks(5))
    files = {"instances": folder / "I.parquet", "queries": folder / "Q.parquet"}
    _, pool = read_pool(settings("bm25", queries="half"), **files)
    asked = [[turn["content"] for turn in messages] for messages in pool.queries]
    half = [talk for talk, is_in_half in zip(talks, half_mask(ids), strict=True) if is_in_half]
    assert asked == [[turn["content"] for turn in talk] for talk in half]
    assert len(pool.query_tasks) == 5
