"""The training and the test instances that are compared."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import INSTANCES, read_embeddings, read_table
from nearfirst.data.instances import same_ids
from nearfirst.distance.dimensions import check_dimensions
from nearfirst.distance.distances import Matrix


class Side(NamedTuple):
    """Ids and tasks of N instances, their (N, d) embeddings, and what `embed.texts` counts."""

    ids: list[str]
    tasks: list[str]
    embeddings: Matrix
    cut: int = 0
    distinct: int = 0


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
    # Embeddings of another program do not say it.
    facts = {"cut": "0", "distinct": str(len(ids))} | read_identity(embeddings)
    counts = (int(facts[key]) for key in ("cut", "distinct"))
    return Side(ids, table["task"].to_pylist(), vectors, *counts)
