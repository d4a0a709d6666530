"""Write a generated data set in the published format of the real one."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing_folder
from nearfirst.corpus.formats import flan, niv2, norobots, p3, sharegpt
from nearfirst.corpus.settings import CorpusSettings

WRITERS = {
    "flan": flan.write,
    "niv2": niv2.write,
    "p3": p3.write,
    "sharegpt": sharegpt.write,
    "norobots": norobots.write,
}


def main(arguments: argparse.Namespace) -> None:
    """Write the folder."""
    with writing_folder(arguments.output) as folder:
        count = WRITERS[arguments.form](folder, arguments.settings)
    logging.info("%s: %d instances", arguments.form, count)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--form", choices=WRITERS, required=True, help="published format to write")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to write; an existing one is replaced"
    )
    cli.add_settings(parser, CorpusSettings)
    cli.run(main, parser.parse_args())
