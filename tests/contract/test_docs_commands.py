"""Every command of the pages runs, as far as it can here; an unknown one fails.

Targets of Snakemake are resolved by a dry run, with the pages' own flags and presets; what make
would run is listed; programs read their command lines; a heredoc really runs; config is read.
"""

import os
import re
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import documents
import pytest
import yaml
from checkout import Checkout, copy_project
from documents import ROOT, Block

from nearfirst.config import load

# Not run here, and why.
SYSTEM = {
    "snakemake --lint": "part of `make lint`",
    "git clone": "needs a network",
    "git rev-parse": "of another project",
    "hf auth": "logs in",
    "apt-get install": "changes the machine",
    "mariadb": "needs a database; tried by hand",
    "sacctmgr": "needs slurmdbd; tried by hand",
    "source .venv/bin/activate": "the tests' own environment",
    "pip install": "needs a network",
}
# Blocks that are neither commands nor config of the workflow.
OTHER = {
    ("docs/cluster.md", "AuthType=auth/munge"): "slurmdbd.conf",
    ("docs/cluster.md", "AccountingStorageType=accounting_storage/slurmdbd"): "slurm.conf",
    ("docs/cluster.md", "train:"): "a profile's resources",
    ("docs/tma.md", "position    1  2  3  4  7  8  9  20"): "a drawing",
}
DryRun = tuple[list[str], list[str]]
"""Targets and flags."""

# What pages call the reader's own, which lies outside the project.
OWN = re.compile(r"(?<!\w)/(data|models)/([\w.-]+)")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of the project without results."""
    return copy_project(tmp_path_factory.mktemp("docs") / "project", "mini")


def read() -> list[tuple[str, list[Block], str]]:
    """Return name, blocks and text of the pages that are written by hand."""
    names = [page for page in documents.pages() if page not in documents.GENERATED]
    return [(page, *documents.split(page)) for page in names]


def blocks() -> list[Block]:
    return [block for _, found, _ in read() for block in found]


def written() -> list[tuple[str, list[str], str]]:
    """Return page, words and heredoc of every command."""
    found = []
    for page, code, text in read():
        parts = [block.text for block in code if documents.is_shell(block.text)]
        for part in [*parts, *documents.inline(text)]:
            found += [(page, *command) for command in documents.commands(part)]
    return found


def is_config(block: Block) -> bool:
    return block.language in ("", "yaml") and bool(re.match(r"[a-z_]+:( |$)", block.first))


def without_environment(words: list[str]) -> list[str]:
    while re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words


def targets_and_flags(words: list[str]) -> DryRun:
    """Return what a Snakemake command makes, and how; a dry run and a report are left out."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("--report", "--quiet"):
            next(rest)
        elif word not in ("-n", "--dry-run"):
            kept.append(word)
    first = next((at for at, word in enumerate(kept) if word.startswith("-")), len(kept))
    return kept[:first] or ["all"], kept[first:]


def test_blocks_are_commands_config_or_code() -> None:
    unknown = [
        str(block)
        for block in blocks()
        if not documents.is_shell(block.text)
        and not is_config(block)
        and block.language != "python"
        and (block.page, block.first) not in OTHER
    ]
    assert unknown == []


def test_config_of_the_pages_is_read(project: Checkout) -> None:
    for block in blocks():
        if is_config(block) and (block.page, block.first) not in OTHER:
            load(yaml.safe_load(own(block.text, project)), ROOT / "workflow/presets")


def test_commands_of_the_pages(project: Checkout) -> None:
    dry_runs: list[DryRun] = []
    for page, given, heredoc in written():
        words = without_environment(given)
        where = f"{page}: {shlex.join(given)}"
        match words:
            case _ if any(shlex.join(words).startswith(begin) for begin in SYSTEM):
                pass
            case ["python", "-"]:
                run(project, [sys.executable, "-"], where, heredoc)
            case ["python", program, *arguments] | [program, *arguments] if ".py" in program:
                check_program(program, arguments, where)
            case ["snakemake", "--list-target-rules" | "--unlock", *_]:
                project.snakemake(*words[1:])
            case ["snakemake", *arguments]:
                dry_runs.append(targets_and_flags(arguments))
            case ["make", *arguments]:
                listed = run(project, ["make", "--dry-run", *arguments], where)
                if arguments[0].startswith("results/"):
                    # What it passes on is in the last line.
                    called = shlex.split(listed.splitlines()[-1])
                    dry_runs.append(targets_and_flags(called[1:]))
            case ["source", script] if (ROOT / script).is_file():
                run(project, ["bash", "-n", script], where)
            case ["export", *values]:
                assert all(re.match(r"[A-Z_]+=", value) for value in values), where
            case _:
                pytest.fail(f"{where}: no test knows how to run it")
    for targets, flags in together(dry_runs):
        rules = project.would_run(*targets, *(own(flag, project) for flag in flags))
        assert rules, (targets, flags)


def together(dry_runs: list[DryRun]) -> list[DryRun]:
    """Join dry runs that do not meet in the config: Snakemake takes seconds to start."""
    joined: list[DryRun] = []
    for targets, flags in dry_runs:
        for others, known in joined:
            if flags == known or do_not_meet(flags, known):
                others += [target for target in targets if target not in others]
                known += [flag for flag in flags if flag not in known]
                break
        else:
            joined.append(([*targets], [*flags]))
    return joined


def do_not_meet(*both: list[str]) -> bool:
    """Return whether flags set sections of the config alone, and none to two values."""
    if any(flags[:1] != ["--config"] for flags in both):
        return False
    keys = [value.partition("=")[0] for value in {*both[0][1:], *both[1][1:]}]
    return len(keys) == len(set(keys)) and "preset" not in keys


def own(text: str, project: Checkout) -> str:
    """Return text in which the reader's own files lie beside the project."""
    return OWN.sub(partial(placed, project.folder.parent), text)


def placed(folder: Path, named: re.Match[str]) -> str:
    """Put an empty file, or a model's folder, where the test may write, and return its path."""
    path = folder / named[1] / named[2]
    path.parent.mkdir(exist_ok=True)
    if named[1] == "models":
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    return str(path)


def run(project: Checkout, words: list[str], where: str, given: str = "") -> str:
    # Not what `make test ARGS=…` hands on to a make that it starts.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "ARGS" and not name.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(
        words,
        cwd=project.folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{where}: {done.stderr}"
    return done.stdout


def check_program(program: str, arguments: list[str], where: str) -> None:
    """Read a command line as the program would, or, of a benchmark, look for its flags."""
    path = Path(program)
    if path.parent == Path("workflow/scripts"):
        documents.read_command_line(path.name, arguments)
        return
    text = (ROOT / path).read_text()
    for flag in (word for word in arguments if word.startswith("--")):
        assert f'"{flag}"' in text, f"{where}: no {flag}"


def test_every_reason_is_needed() -> None:
    there = [shlex.join(words) for _, words, _ in written()]
    assert [begin for begin in SYSTEM if not any(line.startswith(begin) for line in there)] == []
    assert OTHER.keys() <= {(block.page, block.first) for block in blocks()}
