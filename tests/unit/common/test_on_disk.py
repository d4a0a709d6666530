"""Embeddings too large for memory: programs write the same bytes when they read them from disk."""

import resource
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from programs import Program

from nearfirst.common import embeddings, on_disk
from nearfirst.common.embeddings import embeddings_table, read_embeddings, write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table

SIZES = {"train": 2500, "test": 30}


@pytest.fixture
def flags(
    tmp_path: Path, some_talks: Any, write_instances: Any, write_arrangement: Any
) -> list[object]:
    """Write instances and embeddings of both sides, those of the pool in shards, and an order."""
    generator = np.random.default_rng(0)
    flags: list[object] = []
    for side, size in SIZES.items():
        vectors = generator.standard_normal((size, 8), dtype=np.float32)
        vectors[5] = vectors[3]
        names = write_instances(tmp_path / f"{side}.parquet", some_talks(size, seed=size))
        for shard, part in enumerate((slice(2048), slice(2048, None))):
            table = embeddings_table(names[part], vectors[part])
            write_table(table, tmp_path / f"{side}-{shard}.parquet", {"cut": "0"})
        flags += [f"--{side}-instances", tmp_path / f"{side}.parquet"]
        flags += [f"--{side}-embeddings", tmp_path / f"{side}_embedded.parquet"]
    order = generator.permutation(SIZES["train"])[:2100]
    write_arrangement(tmp_path / "order.parquet", [f"id-{i}" for i in order])
    return flags


def run_all(program: Program, folder: Path, flags: list[object]) -> dict[str, bytes]:
    """Run the programs that read embeddings of a pool; return the bytes that they write."""

    def run(name: str, *arguments: object) -> None:
        program(name, *arguments, check=True)

    output = folder / "output"
    output.mkdir(exist_ok=True)
    for side in SIZES:
        output_path = flags[flags.index(f"--{side}-embeddings") + 1]
        shards = [folder / f"{side}-{shard}.parquet" for shard in (0, 1)]
        instances = ("--instances", folder / f"{side}.parquet")
        run("gather_embeddings.py", *shards, *instances, "--output", output_path)
    train, test = (flags[flags.index(f"--{side}-embeddings") + 1] for side in SIZES)
    embeddings = ("--train", train, "--test", test)
    for name in ("cosine", "euclidean"):
        run("distances.py", *embeddings, "--measure", name, "--matrix", output / f"{name}.npy")
    settings = ("--settings", '{"method": "tma", "order": "nearest"}')
    run("arrange.py", *settings, *embeddings, "--output", output / "a.parquet")
    ordered = ("--arrangement", folder / "order.parquet")
    written = ("--jsonl", output / "o.jsonl", "--parquet", output / "o.parquet")
    run("export.py", *ordered, "--instances", folder / "train.parquet", *embeddings, *written)
    run("explore.py", *flags, "--output", output / "e.csv", "--pairs", output / "p.csv")
    threshold = ("--settings", '{"near_embedding": 0.95}')
    run("exclude.py", *flags, *threshold, "--output", output / "x.csv")
    run("similarity.py", *flags, *ordered, "--output", output / "s.parquet")
    paths = [*output.iterdir(), Path(str(train)), Path(str(test))]
    return {path.name: path.read_bytes() for path in paths}


def test_embeddings_on_disk_change_no_byte(
    tmp_path: Path, flags: list[object], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run_all(program, tmp_path, flags)
    monkeypatch.setattr(embeddings, "IN_MEMORY", 0)
    assert isinstance(read_embeddings(tmp_path / "train-0.parquet")[1], on_disk.RowsOnDisk)
    assert run_all(program, tmp_path, flags) == expected


def test_a_table_written_in_pieces_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 4), dtype=np.float32)
    ids, paths = [str(i) for i in range(50)], [tmp_path / name for name in ("whole", "pieces")]
    write_table(embeddings_table(ids, vectors), paths[0], {"distinct": "50"})
    write_embeddings(ids, vectors, paths[1], {"distinct": "50"})
    assert paths[1].read_bytes() == paths[0].read_bytes()
    monkeypatch.setattr(embeddings, "WRITTEN", 16 * 7)
    write_embeddings(ids, vectors, paths[1], {"distinct": "50"})
    assert pq.ParquetFile(paths[1]).num_row_groups == 8
    tables = [pq.read_table(path) for path in paths]
    assert tables[1].equals(tables[0], check_metadata=True)


def test_pieces_of_a_table_with_categories_are_mapped_as_they_are() -> None:
    pieces = [
        pa.record_batch({"task": pa.array(names).dictionary_encode(), "n": pa.array([1, 2])})
        for names in (["b", "a"], ["c", "c"])
    ]
    assert on_disk.mapped(iter(pieces), pieces[0].schema) == pieces


def test_a_folder_without_room_is_named() -> None:
    piece = pa.record_batch({"text": ["x" * 100_000]})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(InputError, match=f"^{tempfile.gettempdir()}: File too large"):
            on_disk.mapped([piece], piece.schema)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
