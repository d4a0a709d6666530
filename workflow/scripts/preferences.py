"""Make preference pairs to train a reward model: gold answers and corrupted ones."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.parquet import write_table
from nearfirst.reward.preferences import pairs, read_examples
from nearfirst.reward.settings import PreferenceSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the pairs."""
    datasets = {name: read_examples(Path(file)) for name, file in arguments.dataset}
    table = pairs(datasets, arguments.settings)
    logging.info("%d pairs", len(table))
    write_table(table, arguments.output)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--dataset",
        nargs=2,
        action="append",
        required=True,
        metavar=("NAME", "FILE"),
        help="name of a data set and its training instances (Parquet); repeat for each data set",
    )
    parser.add_argument("--output", type=Path, required=True, help="pairs to write (Parquet)")
    cli.add_settings(parser, PreferenceSettings)
    cli.run(main, parser.parse_args())
