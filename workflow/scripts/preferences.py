"""Make preference pairs to train a reward model: gold answers and corrupted ones."""

import argparse
import logging
from collections import Counter
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table
from nearfirst.reward.preferences import pairs, read_examples
from nearfirst.reward.settings import PreferenceSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the pairs."""
    names = [name for name, _ in arguments.dataset]
    if len(set(names)) < len(names):
        raise InputError(f"--dataset: {', '.join(names)}: a name is repeated; use each name once")
    datasets = {name: read_examples(Path(file)) for name, file in arguments.dataset}
    table = pairs(datasets, arguments.settings)
    sides = zip(table["dataset"].to_pylist(), table["held_out"].to_pylist(), strict=True)
    for (name, held_out), count in sorted(Counter(sides).items()):
        logging.info("%s: %d %s pairs", name, count, "held-out" if held_out else "training")
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
