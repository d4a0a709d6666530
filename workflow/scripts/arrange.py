r"""Arrange training instances: decide the order in which they are seen.

For instance:
  arrange.py --train E1.parquet --test E2.parquet --method tma --order nearest \
      --within-round shuffle --seed 0 --output A.parquet
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst import arrange, cli
from nearfirst.distance import BY_ROWS, RowDistances
from nearfirst.errors import InputError
from nearfirst.instances import read_instances
from nearfirst.tables import ARRANGEMENT, read_embeddings, write_table
from nearfirst.tma import rounds_by


def main(arguments: argparse.Namespace) -> None:
    """Write the arrangement."""
    rounds = None
    if arguments.method == "random":
        ids = _ids(arguments)
        order = arrange.random(len(ids), arguments.seed)
    else:
        ids, train = read_embeddings(_need(arguments, "train"))
        _, test = read_embeddings(_need(arguments, "test"))
        distances = _distances(arguments, train, test)
        rounds = rounds_by(distances, len(train), len(test), threads=arguments.threads)
        order = arrange.by_round(rounds, arguments.order, arguments.within_round, arguments.seed)
        logging.info("%d instances in %d rounds", len(ids), rounds.max())
    table = {
        "position": np.arange(len(ids), dtype=np.int32),
        "id": [ids[i] for i in order],
        "round": [None] * len(ids) if rounds is None else rounds[order],
    }
    write_table(pa.table(table, schema=ARRANGEMENT), arguments.output)


def _need(arguments: argparse.Namespace, name: str) -> Path:
    path: Path | None = getattr(arguments, name)
    if path is None:
        raise InputError(f"--method {arguments.method} needs --{name}")
    return path


def _ids(arguments: argparse.Namespace) -> list[str]:
    """Return the ids of the pool, from whichever table was given."""
    if arguments.instances:
        ids: list[str] = read_instances(arguments.instances)["id"].to_pylist()
        return ids
    return read_embeddings(_need(arguments, "train"))[0]


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


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train", type=Path, help="training embeddings (Parquet)")
    add("--test", type=Path, help="test embeddings (Parquet)")
    add("--instances", type=Path, help="training instances (Parquet), enough for random")
    add("--distances", type=Path, help="their distance matrix (.npy), if there is one already")
    add("--measure", choices=list(BY_ROWS), default="cosine", help="distance, where none is given")
    add("--method", choices=["tma", "random"], required=True)
    add("--order", choices=["nearest", "farthest", "random"], default="nearest")
    add(
        "--within-round",
        choices=["shuffle", "pool"],
        default="shuffle",
        help="order inside a TMA round",
    )
    add("--threads", type=int, default=2, help="CPU threads; they do not change the result")
    add("--seed", type=int, default=0, help="seed of the shuffles")
    add("--output", type=Path, required=True, help="arrangement to write (Parquet)")
    cli.run(main, parser.parse_args())
