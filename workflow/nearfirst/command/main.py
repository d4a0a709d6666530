"""The command `nearfirst`: put training data in order for any trainer, without the workflow."""

import argparse
import sys
from importlib import import_module

from nearfirst.api import __version__
from nearfirst.common import cli
from nearfirst.common.errors import InputError

COMMANDS = ("arrange", "explore", "check-order")
"""Each is a module here: a docstring, `add_arguments(parser)` and `run(arguments)`."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; for it no model's library is imported."""
    result = argparse.ArgumentParser(prog="nearfirst", description=__doc__)
    result.add_argument("--version", action="version", version=__version__)
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"nearfirst.command.{name.replace('-', '_')}")
        text = module.__doc__ or ""
        its = commands.add_parser(
            name,
            help=text.splitlines()[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(its)
        its.set_defaults(run=module.run, log=None)
    return result


def main() -> None:
    """Run the command; exit with 1 and one line on the screen if it fails."""
    try:
        arguments = parser().parse_args()
    except ModuleNotFoundError as error:
        sys.exit(f"error: {_missing(error)}")
    cli.run(_run, arguments)


def _run(arguments: argparse.Namespace) -> None:
    try:
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        raise InputError(_missing(error)) from error


def _missing(error: ModuleNotFoundError) -> str:
    return f"the package {error.name} is missing; run: pip install 'nearfirst[embed]'"


if __name__ == "__main__":
    main()
