"""Compute the distance of every training instance to every test instance."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.embeddings import read_embeddings
from nearfirst.distance.distances import check_dimensions
from nearfirst.distance.matrix import write_matrix
from nearfirst.distance.settings import DistanceSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the (N_train, N_test) matrix."""
    settings = cast(DistanceSettings, arguments.settings)
    _, train = read_embeddings(arguments.train)
    _, test = read_embeddings(arguments.test)
    check_dimensions(arguments.train, train, arguments.test, test)
    write_matrix(arguments.matrix, settings.measure, train, test, arguments.threads)
    sizes = len(train), len(test)
    logging.info("%s distances of %d training to %d test instances", settings.measure, *sizes)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training embeddings (Parquet)")
    parser.add_argument("--test", type=Path, required=True, help="test embeddings (Parquet)")
    parser.add_argument("--matrix", type=Path, required=True, help="float32 matrix to write (.npy)")
    cli.add_threads(parser)
    cli.add_settings(parser, DistanceSettings)
    cli.run(main, parser.parse_args())
