"""The command `nearfirst`: put training data in order for any trainer, without the workflow."""

import argparse
import sys
from importlib import import_module

from nearfirst.api import __version__
from nearfirst.common import cli
from nearfirst.common.errors import InputError

COMMANDS = ("arrange", "explore", "check-order")
"""Each is a module here with a docstring, `add_arguments(parser)` and `run(arguments)`."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, without importing model libraries."""
    result = argparse.ArgumentParser(prog="nearfirst", description=__doc__)
    result.add_argument("--version", action="version", version=__version__)
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"nearfirst.command.{name.replace('-', '_')}")
        description = module.__doc__ or ""
        command = commands.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, log=None)
    return result


def main() -> None:
    """Run the command; if it fails, print one line and exit with 1."""
    try:
        arguments = parser().parse_args()
    except ModuleNotFoundError as error:
        sys.exit(f"error: {_explain_missing(error)}")
    cli.run(_run, arguments)


def _run(arguments: argparse.Namespace) -> None:
    try:
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        raise InputError(_explain_missing(error)) from error


def _explain_missing(error: ModuleNotFoundError) -> str:
    return f"the package {error.name} is missing; in nearfirst's folder run: pip install '.[embed]'"


if __name__ == "__main__":
    main()
