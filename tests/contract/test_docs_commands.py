"""Every command of the pages runs, as far as it can here; an unknown one fails.

Targets of Snakemake are resolved by a dry run, with the pages' own flags and presets; make lists
what it would run; programs read their command lines; a heredoc really runs; config is read.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import documents
import pytest
import yaml
from checkout import Checkout, copy_project
from documents import FOLLOWED, ROOT, Block

from nearfirst.command import main as nearfirst
from nearfirst.config import load

# Not run here, and why.
SYSTEM = {
    "snakemake --lint": "part of `make lint`",
    "git clone": "needs a network",
    "git ls-remote": "needs a network",
    "git rev-parse": "of another project",
    "hf auth": "logs in",
    "apt-get install": "changes the machine",
    "mariadb": "needs a database; tried by hand",
    "sacctmgr": "needs slurmdbd; tried by hand",
    "source .venv/bin/activate": "the tests' own environment",
    "pip install": "needs a network",
    "tensorboard": "a server",
    "pre-commit install": "changes the project",
}
# How blocks begin that are neither commands nor config of the workflow.
OTHER = {
    ("docs/cluster.md", "AuthType"): "slurmdbd.conf",
    ("docs/cluster.md", "AccountingStorageType"): "slurm.conf",
    ("docs/cluster.md", "train:"): "a profile's resources",
    ("docs/method.md", "w(s) "): "a formula",
    ("docs/tma.md", "position "): "a drawing",
    ("docs/train_elsewhere.md", "from nearfirst"): "of a program that trains",
    ("docs/train_elsewhere.md", "not in order"): "an answer",
    ("README.md", "Snakefile "): "where things are",
}
# What changes no job of a dry run.
IGNORED = {"-n", "--dry-run", "--report", "report.html", "--quiet", "rules", "--config"}


class DryRun(NamedTuple):
    """What a command of Snakemake makes, and how."""

    targets: list[str]
    flags: list[str]
    config: dict[str, str]


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


def is_other(block: Block) -> bool:
    return any(block.page == page and block.text.startswith(begin) for page, begin in OTHER)


def is_followed(page: str, text: str) -> bool:
    """Return whether a test of its own follows what is of a worked example."""
    return page in FOLLOWED and "my_" in text


def test_blocks_are_commands_config_or_code() -> None:
    for block in blocks():
        known = documents.is_shell(block.text) or is_config(block) or is_other(block)
        assert known or block.language == "python", f"{block.page}: {block.first}"


def test_config_of_the_pages_is_read(project: Checkout) -> None:
    for block in blocks():
        if is_config(block) and not is_other(block) and not is_followed(block.page, block.text):
            load(yaml.safe_load(own(block.text, project)), ROOT / "workflow/presets")


def test_commands_of_the_pages(project: Checkout) -> None:
    dry_runs: list[DryRun] = []
    for page, words, heredoc in written():
        line = shlex.join(words)
        match words:
            case _ if any(line.startswith(begin) for begin in SYSTEM) or is_followed(page, line):
                pass
            case ["python", "-"]:
                run(project, [sys.executable, "-"], heredoc)
            case ["python", program, *arguments] | [program, *arguments] if ".py" in program:
                check_program(program, arguments)
            case ["snakemake", "--list-target-rules" | "--unlock", *_]:
                project.snakemake(*words[1:])
            case ["snakemake", *arguments]:
                dry_runs.append(dry_run(page, arguments, project))
            case ["make", *arguments]:
                listed = run(project, ["make", "--dry-run", *arguments])
                if arguments[0].startswith("results/"):
                    # What it passes on is in the last line.
                    dry_runs.append(dry_run(page, shlex.split(listed.splitlines()[-1]), project))
            case ["nearfirst", name]:
                assert name in nearfirst.COMMANDS, line
            case ["nearfirst", *arguments]:
                nearfirst.parser().parse_args(arguments)
            case ["export", *values]:
                assert all(re.match(r"[A-Z_]+=", value) for value in values), line
            case _:
                pytest.fail(f"{page}: no test knows how to run {line}")
    for targets, flags, config in joined(dry_runs):
        values = [f"{key}={value}" for key, value in config.items()]
        assert project.would_run(*targets, *flags, *(["--config", *values] if values else []))


def dry_run(page: str, words: list[str], project: Checkout) -> DryRun:
    """Return what a command makes; a figure that the page adds comes with the page's config."""
    targets = [word for word in words if word.startswith("results/")] or ["all"]
    values = [own(word, project) for word in words if re.match(r"\w+=", word)]
    used = {"snakemake", *targets, *IGNORED}
    flags = [word for word in words if word not in used and not re.match(r"\w+=", word)]
    for block in documents.split(page)[0]:
        content = yaml.safe_load(block.text) if is_config(block) else {}
        figures = content.get("figures") or {}
        if any(Path(target).stem in figures for target in targets):
            path = project.folder / f"{Path(page).stem}_{Path(targets[0]).stem}.yaml"
            path.write_text(own(block.text, project))
            flags += ["--configfile", path.name]
    return DryRun(targets, flags, dict(value.split("=", 1) for value in values))


def joined(dry_runs: list[DryRun]) -> list[DryRun]:
    """Join dry runs whose config does not meet: Snakemake takes seconds to start."""
    groups: list[DryRun] = []
    for its in dry_runs:
        for group in groups:
            alike = [
                [*each.flags, each.config.get("preset", ""), each.config.get("run", "")]
                for each in (its, group)
            ]
            keys = its.config.keys() & group.config.keys()
            apart = all(its.config[key] == group.config[key] for key in keys)
            if alike[0] == alike[1] and apart and bool(its.config) == bool(group.config):
                group.targets.extend(set(its.targets) - set(group.targets))
                group.config.update(its.config)
                break
        else:
            groups.append(its)
    return groups


def own(text: str, project: Checkout) -> str:
    """Return text in which the reader's own files and models lie beside the project."""

    def placed(named: re.Match[str]) -> str:
        path = project.folder.parent / named[1] / named[2]
        path.parent.mkdir(exist_ok=True)
        if named[1] == "models":
            path.mkdir(exist_ok=True)
        else:
            path.touch()
        return str(path)

    return re.sub(r"(?<!\w)/(data|models)/([\w.-]+)", placed, text)


def run(project: Checkout, words: list[str], given: str = "") -> str:
    # Not what `make test ARGS=…` hands on to a make that it starts.
    kept = {k: v for k, v in os.environ.items() if not re.match(r"ARGS$|MAKE|MFLAGS", k)}
    done = subprocess.run(
        words, cwd=project.folder, env=kept, input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
    return done.stdout


def check_program(program: str, arguments: list[str]) -> None:
    """Read a command line as the program would, or, of a benchmark, look for its flags."""
    path = Path(program)
    assert (ROOT / path).is_file(), program
    if path.parent == Path("workflow/scripts"):
        if arguments != ["--help"]:
            documents.read_command_line(path.name, arguments)
        return
    code = "".join(file.read_text() for file in ROOT.glob("benchmarks/*.py"))
    for flag in (word for word in arguments if word.startswith("--")):
        assert f'"{flag}"' in code, f"{program}: no {flag}"


def test_every_reason_is_needed() -> None:
    lines = [shlex.join(words) for _, words, _ in written()]
    assert [begin for begin in SYSTEM if not any(line.startswith(begin) for line in lines)] == []
    for page, begin in OTHER:
        assert any(its.page == page and its.text.startswith(begin) for its in blocks()), begin
