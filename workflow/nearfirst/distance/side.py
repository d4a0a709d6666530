"""The training and the test instances that are compared."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from nearfirst.common.parquet import INSTANCES, read_embeddings, read_table
from nearfirst.data.instances import same_ids
from nearfirst.distance.dimensions import check_dimensions
from nearfirst.distance.distances import Matrix


class Side(NamedTuple):
    """Ids and tasks of N instances, and their (N, d) embeddings."""

    ids: list[str]
    tasks: list[str]
    embeddings: Matrix


def read_sides(
    train: Path, train_embeddings: Path, test: Path, test_embeddings: Path
) -> tuple[Side, Side]:
    """Read the training and test instances, without their texts, and their embeddings.

    Raises
    ------
    InputError
        If a table is missing or damaged, ids differ between instances and embeddings, or
        dimensions differ between training and test embeddings.
    """
    sides = _side(train, train_embeddings), _side(test, test_embeddings)
    check_dimensions(train_embeddings, sides[0].embeddings, test_embeddings, sides[1].embeddings)
    return sides


def _side(instances: Path, embeddings: Path) -> Side:
    table = read_table(instances, pa.schema([INSTANCES.field("id"), INSTANCES.field("task")]))
    ids, vectors = read_embeddings(embeddings)
    same_ids(table["id"].to_pylist(), ids, instances, embeddings)
    return Side(ids, table["task"].to_pylist(), vectors)
