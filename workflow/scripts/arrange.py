r"""Arrange training instances: decide the order in which they are seen.

For instance:
  arrange.py --train E1.parquet --test E2.parquet --method tma --order nearest \
      --within-round shuffle --seed 0 --output A.parquet
  arrange.py --instances I.parquet --method round-robin --output A.parquet

docs/arrangements.md says what each method needs and which flags it reads.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import METHODS, arrange, check, flag, needs
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import (
    ARRANGEMENT,
    INSTANCES,
    read_embeddings,
    read_table,
    write_table,
)
from nearfirst.data.instances import same_ids
from nearfirst.distance.distances import BY_ROWS, RowDistances, check_dimensions

PARAMETERS = [name for name in ArrangementSettings.model_fields if name not in ("method", "steps")]


def main(arguments: argparse.Namespace) -> None:
    """Write the arrangement."""
    if arguments.seed < 0:
        raise InputError(f"--seed {arguments.seed}: seeds count from 0")
    given = {name: getattr(arguments, name) for name in PARAMETERS if hasattr(arguments, name)}
    settings = ArrangementSettings.parse(json.dumps({"method": arguments.method, **given}))
    check(settings)
    ids, pool = _pool(arguments, settings)
    arranged = arrange(pool, settings, arguments.seed)
    order, rounds = arranged.order, arranged.rounds
    logging.info("%d of %d instances", len(order), pool.size)
    if rounds is not None:
        logging.info("rounds %d to %d", rounds.min(), rounds.max())
    table = {
        "position": np.arange(len(order), dtype=np.int32),
        "id": [ids[i] for i in order],
        "round": [None] * len(order) if rounds is None else rounds,
    }
    write_table(pa.table(table, schema=ARRANGEMENT), arguments.output)


def _pool(arguments: argparse.Namespace, settings: ArrangementSettings) -> tuple[list[str], Pool]:
    """Return the ids of the training instances, and what the method looks at."""
    needed = needs(settings)
    ids: list[str] = []
    parts: dict[str, Any] = {}
    if "tasks" in needed:
        _need(arguments, "instances")
    if arguments.instances:
        ids, parts["tasks"] = _tasks(arguments.instances)
    if "embeddings" in needed or not arguments.instances:
        embedded, parts["train"] = read_embeddings(_need(arguments, "train"))
        if ids:
            same_ids(ids, embedded, arguments.instances, arguments.train)
        ids = embedded
    if "embeddings" in needed:
        _, parts["test"] = read_embeddings(_need(arguments, "test"))
        check_dimensions(arguments.train, parts["train"], arguments.test, parts["test"])
        parts["distances"] = _distances(arguments, parts["train"], parts["test"])
    pool = Pool(len(ids), measure=arguments.measure, threads=arguments.threads, **parts)
    return ids, pool


def _need(arguments: argparse.Namespace, name: str) -> Path:
    path: Path | None = getattr(arguments, name)
    if path is None:
        raise InputError(f"--method {arguments.method} needs --{name}")
    return path


def _tasks(path: Path) -> tuple[list[str], list[str]]:
    """Return ids and tasks of an instance table."""
    table = read_table(path, pa.schema([INSTANCES.field("id"), INSTANCES.field("task")]))
    ids, tasks = table["id"].to_pylist(), table["task"].to_pylist()
    if None in tasks:
        row = tasks.index(None)
        raise InputError(f"{path}: row {row} (id '{ids[row]}') has no task")
    return ids, tasks


def _distances(
    arguments: argparse.Namespace, train: npt.NDArray[np.float32], test: npt.NDArray[np.float32]
) -> RowDistances:
    if arguments.distances is None:
        return BY_ROWS[arguments.measure](train, test)
    try:
        matrix: npt.NDArray[np.float32] = np.lib.format.open_memmap(arguments.distances, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{arguments.distances}: not a whole .npy file ({error})") from None
    if matrix.shape != (len(train), len(test)):
        raise InputError(
            f"{arguments.distances}: shape {matrix.shape}, but the embeddings are "
            f"{len(train)} training and {len(test)} test instances; compute the distances again"
        )
    if matrix.dtype != np.float32:
        raise InputError(f"{arguments.distances}: holds {matrix.dtype}, expected float32")
    if np.isnan(matrix.min()):
        raise InputError(f"{arguments.distances}: holds NaN; compute the distances again")
    return lambda rows: matrix[rows]


def _add_parameters(to: argparse.ArgumentParser) -> None:
    """Add a flag for each parameter of a method; what is not given keeps its default."""
    numbers: dict[str, dict[str, Any]] = {
        "rounds": {"type": int, "nargs": 2, "metavar": ("I", "J")},
        "budget": {"type": int, "metavar": "M"},
    }
    for name in PARAMETERS:
        field = ArrangementSettings.model_fields[name]
        kind = numbers.get(name) or {"choices": get_args(field.annotation)}
        to.add_argument(flag(name), default=argparse.SUPPRESS, help=field.description, **kind)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train", type=Path, help="training embeddings (Parquet)")
    add("--test", type=Path, help="test embeddings (Parquet)")
    add("--instances", type=Path, help="training instances (Parquet), where tasks are needed")
    add("--distances", type=Path, help="their distance matrix (.npy), if there is one already")
    add("--measure", choices=list(BY_ROWS), default="cosine", help="distance, where none is given")
    add("--method", choices=list(METHODS), required=True)
    _add_parameters(parser)
    cli.add_threads(parser)
    add("--seed", type=int, default=0, help="seed of the shuffles")
    add("--output", type=Path, required=True, help="arrangement to write (Parquet)")
    cli.run(main, parser.parse_args())
