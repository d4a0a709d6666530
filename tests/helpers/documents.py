"""The project's pages, as tests read them: blocks of code, commands and links."""

import argparse
import importlib.util
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nearfirst.common import cli

ROOT = Path(__file__).parents[2]
GENERATED = {"docs/config.md", "docs/commands.md"}
"""Pages that a program writes; a test holds each against that program."""

COMMANDS = {
    *("snakemake", "make", "python", "pip", "git", "source", "export", "hf"),
    *("apt-get", "mariadb", "sacctmgr"),
}
"""First words of what is meant for a shell."""


@dataclass(frozen=True)
class Block:
    """Code that stands apart from the text."""

    page: str
    line: int
    language: str  # of a fence; empty where the block is indented
    text: str

    @property
    def first(self) -> str:
        return self.text.splitlines()[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.first}"


def pages() -> list[str]:
    """Return the pages that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split()
    return sorted({name for name in listed if (ROOT / name).exists()})


def split(page: str) -> tuple[list[Block], str]:
    """Return the blocks of a page, and its text without them."""
    blocks, text = [], []
    lines = (ROOT / page).read_text().splitlines()
    at = 0
    while at < len(lines):
        begin = at
        if fence := re.match(r" *(```+)(\w*)", lines[at]):
            at += 1
            while not lines[at].strip().startswith(fence[1]):
                at += 1
            blocks.append(Block(page, begin + 1, fence[2], "\n".join(lines[begin + 1 : at])))
            at += 1
        elif lines[at].startswith("    ") and at and not lines[at - 1].strip():
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                at += 1
            body = [line.removeprefix("    ") for line in lines[begin:at]]
            blocks.append(Block(page, begin + 1, "", "\n".join(body).strip("\n")))
        else:
            text.append(lines[at])
            at += 1
    return blocks, "\n".join(text)


def is_shell(text: str) -> bool:
    """Return whether text begins as a command does."""
    words = [word for word in text.split() if not re.match(r"[A-Z_]+=", word)]
    return bool(words) and (words[0] in COMMANDS or words[0].endswith(".py"))


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield the words of each command of a shell block, and its heredoc.

    Lines that a backslash, an open quote or a heredoc joins are one command; comments go.
    """
    lines = iter(text.splitlines())
    for line in lines:
        while True:
            try:
                words = shlex.split(line.replace("\\\n", " "), comments=True)
            except ValueError:
                words = None
            if words is not None and not line.endswith("\\"):
                break
            line += "\n" + next(lines)
        here = ""
        if words and (end := next((w[2:] for w in words if w.startswith("<<")), None)):
            while (line := next(lines)) != end:
                here += line + "\n"
            words = [word for word in words if not word.startswith("<<")]
        if words:
            yield words, here


def inline(text: str) -> list[str]:
    """Return the commands inside running text; one word alone is a name, not a command."""
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    return [span for span in spans if is_shell(span) and len(span.split()) > 1]


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+)$", split(page)[1], re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        number = 0
        while (name := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(name)
    return found


def links(page: str) -> list[str]:
    """Return where the links and images of a page lead."""
    text = re.sub(r"`[^`]*`", "", split(page)[1])
    return re.findall(r"\]\(([^)\s]+)\)", text)


def generator(name: str) -> Any:
    """Return a program of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_command_line(program: str, words: Sequence[str]) -> argparse.Namespace:
    """Return what a program of the workflow reads from its command line.

    It is run up to where it would begin; where it does not take the line, it exits.
    """
    path = ROOT / "workflow/scripts" / program
    read: list[argparse.Namespace] = []

    def stop(main: object, arguments: argparse.Namespace) -> None:
        read.append(arguments)

    with patch.object(sys, "argv", [str(path), *words]), patch.object(cli, "run", stop):
        runpy.run_path(str(path), run_name="__main__")
    return read[0]
