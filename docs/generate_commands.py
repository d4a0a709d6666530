"""Write docs/commands.md from what each program says to `--help`; a test fails when they drift."""

import argparse
import os
import runpy
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

from nearfirst.common import cli
from nearfirst.common.settings import Section
from nearfirst.config import sections

HERE = Path(__file__).parent
PROGRAMS = HERE.parent / "workflow/scripts"
PAGE = HERE / "commands.md"
COLUMNS = "88"

HEAD = """\
# Command lines

Every program of `workflow/scripts/`, as its `--help` has it. None needs Snakemake. Where a flag
takes a section of the config as JSON, the line below says which: its keys are in
[config.md](config.md), and in `--help` too. What the tables hold: [results](../results/README.md).

A program that fails says so in one line that begins with `error:`, and exits with 1; training that
was told to end, and saved its state, with 143.

This page is generated: `make docs`.
"""


def parser_of(path: Path) -> tuple[argparse.ArgumentParser, dict[str, type[Section]]]:
    """Return the parser of a program, and the section of each flag that takes one.

    The program is run up to where it would read its command line.
    """
    found: list[argparse.ArgumentParser] = []
    taken: dict[str, type[Section]] = {}

    def remember(
        to: argparse.ArgumentParser, section: type[Section], flag: str = "--settings"
    ) -> None:
        taken[flag] = section
        to.add_argument(flag, metavar="JSON", help="see below")

    def stop(parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        found.append(parser)
        sys.exit()

    with (
        patch.object(sys, "argv", [path.name]),
        patch.object(cli, "add_settings", remember),
        patch.object(argparse.ArgumentParser, "parse_args", stop),
        suppress(SystemExit),
    ):
        runpy.run_path(str(path), run_name="__main__")
    return found[0], taken


def render() -> str:
    """Return the page."""
    names: dict[type[Section], str] = {}
    for prefix, model in sections():
        names.setdefault(model, prefix.rstrip("."))
    parts = [HEAD]
    for path in sorted(PROGRAMS.glob("*.py")):
        parser, taken = parser_of(path)
        with patch.dict(os.environ, COLUMNS=COLUMNS):
            lines = parser.format_help().rstrip().splitlines()
        parts.append(f"\n## `{path.name}`\n\n")
        parts.extend(f"    {line}".rstrip() + "\n" for line in lines)
        parts.extend(f"\n{_keys(flag, section, names)}\n" for flag, section in taken.items())
    return "".join(parts)


def _keys(flag: str, section: type[Section], names: dict[type[Section], str]) -> str:
    # A section that several data sets share is shown for the first.
    name = names[section]
    shown = f"data.NAME.{name.split('.')[2]}" if name.startswith("data.") else name
    return f"`{flag}` is [`{shown}`](config.md#{name.replace('.', '')})."


if __name__ == "__main__":
    PAGE.write_text(render())
