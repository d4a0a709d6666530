"""Write docs/commands.md from what each program says to `--help`; a test fails when they drift."""

import argparse
import os
import runpy
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

from generate_config import Part, parts

from nearfirst.common import cli
from nearfirst.common.settings import Section

HERE = Path(__file__).parent
PROGRAMS = HERE.parent / "workflow/scripts"
PAGE = HERE / "commands.md"
COLUMNS = "88"

HEAD = """\
# Command lines

The `--help` of every program in `workflow/scripts/`. None needs Snakemake. If a flag takes a
section of the config as JSON, a line below the help says which; `--help` lists its keys too. For
the columns of tables see [results](../results/README.md).

A program that fails prints one line beginning with `error:` and exits with 1; training that was
asked to stop and saved its state exits with 143.

This page is generated: `make docs`.
"""


def parser_of(path: Path) -> tuple[argparse.ArgumentParser, dict[str, type[Section]]]:
    """Return the parser of a program, and the section of each flag that takes one.

    The program is run up to where it would read its command line.
    """
    parsers: list[argparse.ArgumentParser] = []
    taken: dict[str, type[Section]] = {}

    def remember(
        to: argparse.ArgumentParser, section: type[Section], flag: str = "--settings"
    ) -> None:
        taken[flag] = section
        to.add_argument(flag, metavar="JSON", help="see below")

    def stop(parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parsers.append(parser)
        sys.exit()

    with (
        patch.object(sys, "argv", [path.name]),
        patch.object(cli, "add_settings", remember),
        patch.object(argparse.ArgumentParser, "parse_args", stop),
        suppress(SystemExit),
    ):
        runpy.run_path(str(path), run_name="__main__")
    return parsers[0], taken


def render() -> str:
    """Return the page."""
    of_config: dict[type, Part] = {}
    for part in parts():
        of_config.setdefault(part.model, part)
    texts = [HEAD]
    for path in sorted(PROGRAMS.glob("*.py")):
        parser, taken = parser_of(path)
        with patch.dict(os.environ, COLUMNS=COLUMNS):
            lines = parser.format_help().rstrip().splitlines()
        texts.append(f"\n## `{path.name}`\n\n")
        texts.extend(f"    {line}".rstrip() + "\n" for line in lines)
        for flag, section in taken.items():
            part = of_config[section]
            name = part.prefix.rstrip(".")
            texts.append(f"\n`{flag}` is [`{name}`](config.md#{part.anchor}).\n")
    return "".join(texts)


if __name__ == "__main__":
    PAGE.write_text(render())
