"""Fetch files of a Hugging Face repository at one commit: checked, and resumed after a kill."""

import argparse
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.hub import HubSettings
from nearfirst.data.fetch import fetch


def main(arguments: argparse.Namespace) -> None:
    """Make the folder."""
    if arguments.needs:
        raise InputError(
            f"{arguments.needs} is not set, and without that file these data cannot be read: "
            "docs/data.md says where it is"
        )
    fetch(cast(HubSettings, arguments.settings), arguments.output, arguments.key)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--key", required=True, help="section of the config to name in messages: data.flan"
    )
    parser.add_argument("--needs", help="key that must be set first: nothing is fetched")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    cli.add_settings(parser, HubSettings)
    cli.run(main, parser.parse_args())
