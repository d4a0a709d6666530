"""The program: flags and tables in, an arrangement out."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pools import settings
from reference import algorithm_1

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import arrange
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import embeddings_table, write_table
from nearfirst.distance.distances import BY_ROWS

Program = Callable[..., subprocess.CompletedProcess[str]]


TRAIN, TEST = [f"train-{i}" for i in range(60)], [f"test-{i}" for i in range(9)]


def embed(path: Path, ids: list[str], seed: int) -> npt.NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(1, size=(len(ids), 8)).astype(np.float32)
    write_table(embeddings_table(ids, vectors), path)
    return vectors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tables E1 and E2, which is the current one."""
    embed(tmp_path / "E1.parquet", TRAIN, 0)
    embed(tmp_path / "E2.parquet", TEST, 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


TABLES = "--train E1.parquet --test E2.parquet"
TMA = '{"method":"tma"}'
RANDOM = '{"method":"random"}'
COMMAND = (
    '--settings {"method":"tma","order":"nearest"} --train E1.parquet --test E2.parquet '
    "--seed 0 --output A.parquet"
)


def test_the_agreed_command_writes_the_agreed_table(program: Program, folder: Path) -> None:
    done = program("arrange.py", *COMMAND.split())
    assert done.returncode == 0, done.stderr
    table = pq.read_table("A.parquet")
    assert table.schema.equals(
        pa.schema({"position": pa.int32(), "id": pa.string(), "round": pa.int32()})
    )
    assert table["position"].to_pylist() == list(range(60))
    train, test = embed(folder / "1", TRAIN, 0), embed(folder / "2", TEST, 1)
    lengths = np.linalg.norm(train, axis=1)[:, None] * np.linalg.norm(test, axis=1)[None]
    rounds = algorithm_1((-(train @ test.T) / lengths).astype(np.float32))
    expected = {f"train-{i}": number for i, number in enumerate(rounds)}
    assert dict(zip(table["id"].to_pylist(), table["round"].to_pylist(), strict=True)) == expected
    assert table["round"].to_pylist() == sorted(rounds)


@pytest.mark.parametrize(
    ("measure", "method"),
    [("cosine", "tma"), ("euclidean", "tma"), ("cosine", "wsd"), ("cosine", "optimal-transport")],
)
def test_a_matrix_that_is_there_already_gives_the_same_bytes(
    program: Program, folder: Path, measure: str, method: str
) -> None:
    command = f"{TABLES} --matrix D.npy --settings".split()
    assert program("distances.py", *command, f'{{"measure": "{measure}"}}').returncode == 0
    settings = f'--settings {{"method":"{method}","order":"farthest"}}'
    command = f"{TABLES} {settings} --measure {measure} --output".split()
    assert program("arrange.py", *command, "one").returncode == 0
    assert program("arrange.py", *command, "two", "--distances", "D.npy").returncode == 0
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()


def test_a_random_order_has_no_rounds_and_needs_instances_alone(
    program: Program, folder: Path, write_instances: Any, some_talks: Any
) -> None:
    ids = write_instances(folder / "I.parquet", some_talks(30))
    command = f"--instances I.parquet --settings {RANDOM} --seed 3 --output A.parquet"
    assert program("arrange.py", *command.split()).returncode == 0
    table = pq.read_table("A.parquet")
    assert table.schema.field("round").type == pa.int32()
    assert table["round"].null_count == 30
    order = arrange(Pool(30), settings("random"), 3).order
    assert table["id"].to_pylist() == [ids[i] for i in order]
    # So do embeddings, whose ids are the same.
    write_table(embeddings_table(ids, np.ones((30, 2), np.float32)), folder / "E.parquet")
    command = f"--train E.parquet --settings {RANDOM} --seed 3 --output B.parquet"
    assert program("arrange.py", *command.split()).returncode == 0
    assert (folder / "A.parquet").read_bytes() == (folder / "B.parquet").read_bytes()


@pytest.mark.parametrize(
    "parameters",
    [
        {"method": "round-robin"},
        {"method": "cluster"},
        {"method": "wsd"},
        {"method": "wsd", "granularity": "task", "order": "farthest"},
        {"method": "tma", "rounds": (1, 3), "within_round": "pool"},
        {"method": "tma", "budget": 25, "select": "last", "farthest": "argmax"},
        {"method": "tma", "budget": 25, "order": "random"},
        {"method": "optimal-transport", "order": "farthest"},
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
    done = program("arrange.py", *tables.split(), row.canonical())
    assert done.returncode == 0, done.stderr
    test = embed(folder / "E2.parquet", ids[:9], 1)
    tasks = pq.read_table("I.parquet")["task"].to_pylist()
    distances = BY_ROWS["cosine"](train, test)
    expected = arrange(Pool(60, tasks, train, test, distances), row, 5)
    table = pq.read_table("A.parquet")
    assert table["position"].to_pylist() == list(range(len(expected.order)))
    assert table["id"].to_pylist() == [ids[i] for i in expected.order]
    rounds = [None] * len(expected.order) if expected.rounds is None else expected.rounds.tolist()
    assert table["round"].to_pylist() == rounds


def nan(path: Path) -> None:
    table = pa.table(
        {"id": ["a"], "embedding": pa.array([[np.nan] * 8], pa.list_(pa.float32(), 8))}
    )
    pq.write_table(table, path)


def narrow(path: Path) -> None:
    write_table(embeddings_table(["a"], np.ones((1, 5), dtype=np.float32)), path)


def zeros(path: Path) -> None:
    write_table(embeddings_table(["a"], np.zeros((1, 8), dtype=np.float32)), path)


def nan_matrix(path: Path) -> None:
    matrix = np.zeros((60, 9), dtype=np.float32)
    matrix[3, 4] = np.nan
    np.save(path, matrix)


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


@pytest.mark.parametrize(
    ("flags", "spoiled", "spoil", "named"),
    [
        (TABLES, "E2.parquet", Path.unlink, "E2.parquet: no such file"),
        (TABLES, "E1.parquet", nan, "E1.parquet: row 0 (id 'a') holds NaN"),
        (TABLES, "E2.parquet", narrow, "8 dimensions, but E2.parquet has 5"),
        (TABLES, "E2.parquet", zeros, "E2.parquet"),
        ("--train E1.parquet", None, None, "needs --test"),
        ("--test E2.parquet", None, None, "needs --train"),
        (TABLES, "D.npy", lambda p: np.save(p, np.zeros((9, 60), np.float32)), "shape (9, 60)"),
        (TABLES, "D.npy", lambda p: p.write_bytes(b"\x93NUMPY"), "D.npy: not a whole .npy"),
        (TABLES, "D.npy", Path.touch, "D.npy: not a whole .npy"),
        (TABLES, "D.npy", archive, "D.npy"),
        (TABLES, "D.npy", nan_matrix, "D.npy"),
        (TABLES, "D.npy", lambda p: np.save(p, np.zeros((60, 9))), "expected float32"),
        (TABLES, "D.npy", lambda p: None, "D.npy"),
    ],
)
def test_the_program_fails_with_one_line_and_writes_nothing(
    program: Program, folder: Path, flags: str, spoiled: str | None, spoil: Any, named: str
) -> None:
    if spoiled:
        spoil(folder / spoiled)
    more = ["--distances", "D.npy"] if spoiled == "D.npy" else []
    refused(program, folder, flags, named, "--settings", TMA, *more)


def refused(program: Program, folder: Path, flags: str, named: str, *more: str) -> None:
    before = set(folder.iterdir())
    done = program("arrange.py", *flags.split(), *more, "--output", "A.parquet")
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.split("\n") if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert named in errors[0]
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("row", "flags", "named"),
    [
        ({"method": "wsd", "budget": 5}, "", "budget: unknown key; the keys are method"),
        ({"method": "tma", "rounds": [5, 61]}, "", "rounds: [5, 61) goes beyond the last of the"),
        ({"method": "tma", "budget": 61}, "", "budget: 61 instances, but the pool holds 60"),
        ({"method": "round-robin"}, "", "method 'round-robin' needs --instances"),
        ({"method": "wsd", "granularity": "task"}, "", "method 'wsd' needs --instances"),
        ({"method": "tna"}, "", "did you mean 'tma'?"),
        (
            {"method": "tma"},
            "--instances J.parquet",
            "E1.parquet: row 0 has id 'train-0', but J.parquet has",
        ),
        ({"method": "wsd"}, "--test E3.parquet", "wsd: the average distances have the mean"),
    ],
)
def test_parameters_and_tables_that_do_not_fit(
    program: Program, folder: Path, row: Any, flags: str, named: str
) -> None:
    pq.write_table(pa.table({"id": TRAIN[::-1], "task": ["a"] * 60}), "J.parquet")
    # Far from the training instances on average, and near to some of them.
    opposite = -embed(folder / "E3.parquet", TEST, 1)
    opposite[0] *= -1
    write_table(embeddings_table(TEST, opposite), folder / "E3.parquet")
    refused(program, folder, f"{TABLES} {flags}", named, "--settings", json.dumps(row))


def test_the_arrangement_says_what_it_is_of(
    program: Program, folder: Path, write_instances: Any, some_talks: Any
) -> None:
    write_instances(folder / "I.parquet", some_talks(5))
    table = pq.read_table("I.parquet").replace_schema_metadata({"dataset": "flan", "test": "train"})
    pq.write_table(table, "I.parquet")
    command = [
        "--instances",
        "I.parquet",
        "--settings",
        "{}",
        "--name",
        "RT",
        "--seed",
        "3",
        "--output",
        "A.parquet",
    ]
    command[command.index("{}")] = RANDOM
    assert program("arrange.py", *command).returncode == 0
    expected = {"dataset": "flan", "arrangement": "RT", "seed": "3"}
    assert read_identity(folder / "A.parquet") == expected
