"""Truncated tables and flipped bits: the table is named in one line, and never used."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from faults import Make, embedding, evaluation, training
from files import contents, cut

from nearfirst.common.embeddings import read_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ARRANGEMENT, LOSSES, read_table, write_table
from nearfirst.data.instances import read_instances

INSTANCES = "instances/flan/specialist-0.parquet"
TRAIN = "instances/flan/train.parquet"
ORDER = "arrangements/flan/random/seed-0.parquet"
VECTORS = "embeddings/text/flan/specialist-0.parquet"
LOSS = "losses/flan/specialist-0/random/seed-0/0-end.parquet"


def vectors(path: Path) -> tuple[list[str], bytes]:
    """Read embeddings in a form that `==` compares."""
    ids, matrix = read_embeddings(path)
    return ids, matrix.tobytes()


READERS: dict[str, Callable[[Path], Any]] = {
    INSTANCES: read_instances,
    ORDER: lambda path: read_table(path, ARRANGEMENT),
    VECTORS: vectors,
    LOSS: lambda path: read_table(path, LOSSES, unique=None),
}


@pytest.mark.parametrize("name", READERS)
def test_a_table_is_refused_wherever_it_was_damaged(
    results: Path, tmp_path: Path, name: str
) -> None:
    read, path = READERS[name], tmp_path / "damaged.parquet"
    write_table(pq.read_table(results / name), path)
    expected, content = read(path), path.read_bytes()
    generator = random.Random(name)
    lengths = generator.sample(range(len(content)), 200)
    for length in [0, 1, 4, 8, len(content) - 8, len(content) - 1, *lengths]:
        path.write_bytes(content[:length])
        with pytest.raises(InputError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    refused = 0
    for offset in generator.sample(range(len(content)), 300):
        flipped = bytearray(content)
        flipped[offset] ^= 1 << generator.randrange(8)
        path.write_bytes(flipped)
        try:
            table = read(path)
        except InputError as error:
            refused += str(path) in str(error)
        else:  # some bytes, such as the writer's name, are never read
            assert table == expected, offset
    assert refused > 200


@pytest.mark.parametrize(
    ("make", "name"),
    [(training, TRAIN), (training, ORDER), (evaluation, INSTANCES), (embedding, INSTANCES)],
)
def test_a_program_names_the_table_and_leaves_nothing(
    results: Path, tmp_path: Path, make: Make, name: str
) -> None:
    shutil.copytree(results, tmp_path / "results")
    cut(tmp_path / "results" / name)
    job = make(tmp_path / "results", tmp_path / "job")
    assert name in job.fail()
    assert contents(job.folder).keys() == {"log"}
