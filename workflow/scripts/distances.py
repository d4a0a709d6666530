"""Compute the distance of every training instance to every test instance."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.embeddings import read_embeddings
from nearfirst.distance.distances import BY_ROWS, check_dimensions
from nearfirst.distance.matrix import write_matrix


def main(arguments: argparse.Namespace) -> None:
    """Write the (N_train, N_test) matrix."""
    _, train = read_embeddings(arguments.train)
    _, test = read_embeddings(arguments.test)
    check_dimensions(arguments.train, train, arguments.test, test)
    write_matrix(arguments.matrix, arguments.measure, train, test, arguments.threads)
    logging.info("distances of %d training to %d test instances", len(train), len(test))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training embeddings (Parquet)")
    parser.add_argument("--test", type=Path, required=True, help="test embeddings (Parquet)")
    parser.add_argument("--matrix", type=Path, required=True, help="float32 matrix to write (.npy)")
    parser.add_argument("--measure", choices=list(BY_ROWS), default="cosine", help="distance")
    cli.add_threads(parser)
    cli.run(main, parser.parse_args())
