"""Write the embedded instruction corpus in Flan-mini's published form, and its key list."""

import argparse
import json
import logging
from pathlib import Path
from typing import cast

from nearfirst import cli
from nearfirst.files import writing
from nearfirst.settings.data import CorpusSettings
from nearfirst.synthetic import corpus


def main(arguments: argparse.Namespace) -> None:
    """Write both files."""
    settings = cast(CorpusSettings, arguments.settings)
    rows = list(corpus.flan_mini_rows(settings.instances_per_task, settings.seed))
    with writing(arguments.output) as path:
        path.write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    with writing(arguments.key_list) as path:
        path.write_text(json.dumps(corpus.key_lists(), indent=1))
    logging.info("%d instances of %d tasks", len(rows), len({row["source"] for row in rows}))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="flan_mini.json to write")
    parser.add_argument("--key-list", type=Path, required=True, help="split to write (JSON)")
    cli.add_settings(parser, CorpusSettings)
    cli.run(main, parser.parse_args())
