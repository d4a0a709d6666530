"""The training and the test instances that are compared."""

from pathlib import Path
from typing import NamedTuple

from nearfirst.common.embeddings import read_embeddings
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import ID_AND_TASK, read_table
from nearfirst.data.instances import same_ids
from nearfirst.distance.distances import Matrix, check_dimensions


class Side(NamedTuple):
    """Ids and tasks of N instances, their (N, d) embeddings, and the counts of `embed.texts`."""

    ids: list[str]
    tasks: list[str]
    embeddings: Matrix
    cut: int = 0
    distinct: int = 0


def read_sides(
    train: Path, train_embeddings: Path, test: Path, test_embeddings: Path
) -> tuple[Side, Side]:
    """Read the training and test instances, without their texts, and their embeddings.

    Raises InputError if a table is missing or damaged, if ids differ between instances and
    embeddings, or if dimensions differ between training and test embeddings.
    """
    sides = _read_side(train, train_embeddings), _read_side(test, test_embeddings)
    check_dimensions(train_embeddings, sides[0].embeddings, test_embeddings, sides[1].embeddings)
    return sides


def _read_side(instances: Path, embeddings: Path) -> Side:
    table = read_table(instances, ID_AND_TASK)
    ids, vectors = read_embeddings(embeddings)
    same_ids(table["id"].to_pylist(), ids, instances, embeddings)
    # Embeddings from other programs lack these counts.
    identity = {"cut": "0", "distinct": str(len(ids))} | read_identity(embeddings)
    counts = int(identity["cut"]), int(identity["distinct"])
    return Side(ids, table["task"].to_pylist(), vectors, *counts)
