"""Distances of every training instance to every test instance, and a summary a training point."""

import argparse
import logging
import os
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.common.parquet import read_embeddings, write_table
from nearfirst.distance.distances import check_dimensions, whole
from nearfirst.distance.settings import DistanceSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the (N_train, N_test) matrix and the table of points."""
    settings = cast(DistanceSettings, arguments.settings)
    train_ids, train = read_embeddings(arguments.train)
    test_ids, test = read_embeddings(arguments.test)
    check_dimensions(arguments.train, train, arguments.test, test)
    shape = (len(train), len(test))
    with writing(arguments.matrix) as path:
        out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        # Take the space now: writing to a map on a full disk kills the process without a word.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        whole(settings.measure, train, test, out, arguments.threads)
        out.flush()
        points = {
            "id": train_ids,
            "mean": out.mean(axis=1, dtype=np.float64).astype(np.float32),
            "min": out.min(axis=1),
            "nearest_test": [test_ids[i] for i in out.argmin(axis=1)],
        }
    write_table(pa.table(points), arguments.points)
    logging.info("%s distances of %d training to %d test instances", settings.measure, *shape)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training embeddings (Parquet)")
    parser.add_argument("--test", type=Path, required=True, help="test embeddings (Parquet)")
    parser.add_argument("--matrix", type=Path, required=True, help="float32 matrix to write (.npy)")
    parser.add_argument(
        "--points",
        type=Path,
        required=True,
        help="table to write: id, mean and min distance, nearest test instance (Parquet)",
    )
    cli.add_threads(parser)
    cli.add_settings(parser, DistanceSettings)
    cli.run(main, parser.parse_args())
