"""The project's Markdown pages: blocks of code, commands and links."""

import argparse
import importlib
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from nearfirst.common import cli

ROOT = Path(__file__).parents[2]
GENERATED = {"docs/config.md", "docs/commands.md"}
"""Pages that a program writes."""

FOLLOWED = {
    "CONTRIBUTING.md": "test_contributing.py",
    "docs/arrangements.md": "test_contributing.py",
    "docs/figures.md": "test_figures_page.py",
    "docs/metrics.md": "test_metrics_page.py",
}
"""Pages with a worked example, and the tests that follow it to the letter."""

# Code between fences, and code that is indented after an empty line.
BLOCK = re.compile(r"^```(\w*)\n((?s:.*?))^```$|(?<=\n\n)(    .*\n(?:(?:    .*)?\n)*)", re.M)
COMMANDS = {
    *("snakemake", "make", "python", "pip", "git", "source", "export", "hf", "pre-commit"),
    *("apt-get", "mariadb", "sacctmgr", "nearfirst"),
}
"""First words of shell commands."""
ENVIRONMENT = re.compile("[A-Z_]+=")


class Block(NamedTuple):
    """A code block."""

    page: str
    language: str  # of a fence; empty if the block is indented
    text: str

    @property
    def first(self) -> str:
        return self.text.partition("\n")[0]


def pages() -> list[str]:
    """Return the pages that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in listed.split() if (ROOT / name).exists()})


def split(page: str) -> tuple[list[Block], str]:
    """Return the blocks of a page, and its text without them."""
    text = (ROOT / page).read_text()
    blocks = [
        Block(page, match[1] or "", match[2] or re.sub("^    ", "", match[3].rstrip(), flags=re.M))
        for match in BLOCK.finditer(text)
    ]
    return blocks, BLOCK.sub("", text)


def code(page: str, language: str, heading: str = "") -> list[str]:
    """Return the fenced blocks of one language, of a page or of the section under a heading."""
    text = (ROOT / page).read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def is_shell(text: str) -> bool:
    """Return whether text begins like a shell command."""
    first = next(dropwhile(ENVIRONMENT.match, text.split()), "")
    return first in COMMANDS or first.endswith(".py")


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield the words of each command of a shell block, and its heredoc.

    Lines joined by a backslash, an open quote or a heredoc are one command. Comments and variables
    set for a command are removed.
    """
    lines = iter(text.splitlines())
    for line in lines:
        words, heredoc = None, ""
        while words is None:
            try:
                words = shlex.split(line.replace("\\\n", " "), comments=True)
            except ValueError:
                line += "\n" + next(lines)
        if end := next((word[2:] for word in words if word.startswith("<<")), None):
            heredoc = "\n".join(iter(lambda: next(lines), end))
        words = [word for word in words if not word.startswith("<<")]
        if words := list(dropwhile(ENVIRONMENT.match, words)):
            yield words, heredoc


def inline(text: str) -> list[str]:
    """Return the commands inside running text; a single word is a name, not a command."""
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    return [span for span in spans if is_shell(span) and " " in span]


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", split(page)[1], re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def links(page: str) -> list[str]:
    """Return the targets of the links and images of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", split(page)[1]))


def generator(name: str) -> Any:
    """Return a program of docs/ as a module."""
    with patch.object(sys, "path", [str(ROOT / "docs"), *sys.path]):
        return importlib.import_module(name)


def read_command_line(program: str, words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line with a program of the workflow, which exits if it is not valid."""
    path = ROOT / "workflow/scripts" / program
    with patch.object(sys, "argv", [str(path), *words]), patch.object(cli, "run") as run:
        runpy.run_path(str(path), run_name="__main__")
    arguments: argparse.Namespace = run.call_args.args[1]
    return arguments
