"""The orders read off TMA's rounds, and the program."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import algorithm_1

from nearfirst.arrange import by_round, random
from nearfirst.tables import embeddings_table, write_table

Program = Callable[..., subprocess.CompletedProcess[str]]

ROUNDS = st.lists(st.integers(1, 5), min_size=1, max_size=30).map(
    lambda values: np.array(values, dtype=np.int32)
)
WITHIN = st.sampled_from(["shuffle", "pool"])
SEEDS = st.integers(0, 1000)


@given(ROUNDS, WITHIN, SEEDS)
def test_orders_hold_the_same_set_round_by_round(
    rounds: npt.NDArray[np.int32], within: Any, seed: int
) -> None:
    nearest, farthest, mixed = (
        by_round(rounds, order, within, seed) for order in ("nearest", "farthest", "random")
    )
    everything = list(range(len(rounds)))
    assert sorted(nearest) == sorted(farthest) == sorted(mixed) == everything
    assert rounds[nearest].tolist() == sorted(rounds)
    assert rounds[farthest].tolist() == sorted(rounds, reverse=True)
    # Inside a round both directions hold the points in one order: only the rounds are reversed.
    for number in set(rounds):
        assert [i for i in nearest if rounds[i] == number] == [
            i for i in farthest if rounds[i] == number
        ]


@given(ROUNDS, SEEDS)
def test_pool_order_inside_a_round_needs_no_seed(rounds: npt.NDArray[np.int32], seed: int) -> None:
    order = by_round(rounds, "nearest", "pool", seed)
    assert order.tolist() == sorted(range(len(rounds)), key=lambda i: (rounds[i], i))


def test_the_shuffle_depends_on_the_seed_and_is_not_pool_order() -> None:
    rounds = np.repeat([1, 2], 20).astype(np.int32)
    orders = [by_round(rounds, "nearest", "shuffle", seed).tolist() for seed in range(5)]
    assert orders == [by_round(rounds, "nearest", "shuffle", seed).tolist() for seed in range(5)]
    assert len({tuple(order) for order in orders}) == 5
    pool = by_round(rounds, "nearest", "pool", 0).tolist()
    assert pool not in orders


@given(ROUNDS, WITHIN, SEEDS)
def test_random_does_not_look_at_rounds(
    rounds: npt.NDArray[np.int32], within: Any, seed: int
) -> None:
    order = by_round(rounds, "random", within, seed)
    assert order.tolist() == random(len(rounds), seed).tolist()
    assert order.tolist() != random(len(rounds), seed + 1).tolist() or len(rounds) < 8


# The program ---------------------------------------------------------------------------------


def embed(path: Path, count: int, seed: int, prefix: str) -> npt.NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    write_table(embeddings_table([f"{prefix}{i}" for i in range(count)], vectors), path)
    return vectors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tables E1 and E2, which is the current one."""
    embed(tmp_path / "E1.parquet", 60, 0, "train-")
    embed(tmp_path / "E2.parquet", 9, 1, "test-")
    monkeypatch.chdir(tmp_path)
    return tmp_path


TABLES = "--train E1.parquet --test E2.parquet"
# As design.md gives it.
COMMAND = (
    "--train E1.parquet --test E2.parquet --method tma --order nearest "
    "--within-round shuffle --seed 0 --output A.parquet"
)


def test_the_agreed_command_writes_the_agreed_table(program: Program, folder: Path) -> None:
    done = program("arrange.py", *COMMAND.split())
    assert done.returncode == 0, done.stderr
    table = pq.read_table("A.parquet")
    assert table.schema.equals(
        pa.schema({"position": pa.int32(), "id": pa.string(), "round": pa.int32()})
    )
    assert table["position"].to_pylist() == list(range(60))
    train, test = embed(folder / "1", 60, 0, "train-"), embed(folder / "2", 9, 1, "test-")
    lengths = np.linalg.norm(train, axis=1)[:, None] * np.linalg.norm(test, axis=1)[None]
    rounds = algorithm_1((-(train @ test.T) / lengths).astype(np.float32))
    expected = {f"train-{i}": number for i, number in enumerate(rounds)}
    assert dict(zip(table["id"].to_pylist(), table["round"].to_pylist(), strict=True)) == expected
    assert table["round"].to_pylist() == sorted(rounds)


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_a_matrix_that_is_there_already_gives_the_same_bytes(
    program: Program, folder: Path, measure: str
) -> None:
    flags = f"{TABLES} --matrix D.npy --points P.parquet --settings".split()
    assert program("distances.py", *flags, f'{{"measure": "{measure}"}}').returncode == 0
    flags = f"{TABLES} --method tma --order farthest --measure {measure} --output".split()
    assert program("arrange.py", *flags, "one").returncode == 0
    assert program("arrange.py", *flags, "two", "--distances", "D.npy").returncode == 0
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()


def test_a_random_order_has_no_rounds_and_needs_instances_alone(
    program: Program, folder: Path, write_instances: Any, some_talks: Any
) -> None:
    ids = write_instances(folder / "I.parquet", some_talks(30))
    flags = "--instances I.parquet --method random --seed 3 --output A.parquet"
    assert program("arrange.py", *flags.split()).returncode == 0
    table = pq.read_table("A.parquet")
    assert table.schema.field("round").type == pa.int32()
    assert table["round"].null_count == 30
    assert table["id"].to_pylist() == [ids[i] for i in random(30, 3)]


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
        (TABLES, "E2.parquet", narrow, "8 dimensions, test embeddings 5"),
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
    before = set(folder.iterdir())
    output = ["--method", "tma", "--output", "A.parquet"]
    done = program("arrange.py", *flags.split(), *more, *output)
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.split("\n") if line.startswith("error:")]
    assert len(errors) == 1, done.stderr
    assert named in errors[0]
    assert set(folder.iterdir()) == before
