"""Fetch files of a Hugging Face repository at one commit, or of a Python package; checked."""

import argparse
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.hub import HubSettings
from nearfirst.common.package import PackageSettings
from nearfirst.data.fetch import fetch
from nearfirst.data.fetch_package import fetch_package


def main(arguments: argparse.Namespace) -> None:
    """Make the folder."""
    if arguments.needs:
        raise InputError(
            f"{arguments.needs} is not set, and without that file these data cannot be read: "
            "docs/data.md says where it is"
        )
    if arguments.package:
        fetch_package(arguments.package, arguments.output, f"{arguments.key}.package")
        return
    fetch(cast(HubSettings, arguments.settings), arguments.output, arguments.key)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--key", required=True, help="section of the config to name in messages: data.flan"
    )
    parser.add_argument("--needs", help="key that must be set first: nothing is fetched")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument(
        "--package", type=PackageSettings.parse, metavar="JSON", help="of a package, what to fetch"
    )
    cli.add_settings(parser, HubSettings)
    cli.run(main, parser.parse_args())
