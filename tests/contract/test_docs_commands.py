"""Every command in the docs is tested as far as possible; an unknown command is an error.

Snakemake targets are resolved by a dry run with the page's flags and presets, make lists its
commands, programs parse their command lines, heredocs run, and config is loaded.
"""

import re
import shlex
from collections import defaultdict
from pathlib import Path

import documents
import pytest
import yaml
from checkout import Checkout, copy_project, make
from configs import PRESETS
from documents import FOLLOWED, ROOT, Block

from nearfirst.command import main as nearfirst
from nearfirst.config import load

# Commands that are not run here, and the reason.
SYSTEM = {
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
# Beginnings of blocks that are neither commands nor config of the workflow.
OTHER = {
    ("docs/cluster.md", "AuthType"): "slurmdbd.conf",
    ("docs/cluster.md", "AccountingStorageType"): "slurm.conf",
    ("docs/cluster.md", "set-resources:"): "of a profile",
    ("docs/cluster.md", "train:"): "a profile's resources",
    ("docs/method.md", "w(s) "): "a formula",
    ("docs/tma.md", "position "): "a drawing",
    ("docs/train_elsewhere.md", "from nearfirst"): "of a program that trains",
    ("docs/train_elsewhere.md", "not in order"): "an answer",
    ("README.md", "Snakefile "): "where things are",
}
# Arguments that do not change the jobs of a dry run.
IGNORED = {"-n", "--dry-run", "--report", "report.html", "--quiet", "rules", "--config"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of the project without results; one seed makes dry runs shorter."""
    project = copy_project(tmp_path_factory.mktemp("docs") / "project", "mini")
    project.append_to_config("seeds: [0]")
    return project


def read() -> list[tuple[str, list[Block], str]]:
    """Return name, blocks and text of the pages that are written by hand."""
    names = [page for page in documents.pages() if page not in documents.GENERATED]
    return [(page, *documents.split(page)) for page in names]


def blocks() -> list[Block]:
    return [block for _, page_blocks, _ in read() for block in page_blocks]


def written() -> list[tuple[str, list[str], str]]:
    """Return the page, the words and the heredoc of every command."""
    result = []
    for page, code, text in read():
        parts = [block.text for block in code if documents.is_shell(block.text)]
        for part in [*parts, *documents.inline(text)]:
            result += [(page, *command) for command in documents.commands(part)]
    return result


def is_config(block: Block) -> bool:
    return block.language in ("", "yaml") and bool(re.match(r"[a-z_]+:( |$)", block.first))


def is_other(block: Block) -> bool:
    return any(block.page == page and block.text.startswith(begin) for page, begin in OTHER)


def is_followed(page: str, text: str) -> bool:
    """Return whether another test follows this part of a worked example."""
    return page in FOLLOWED and "my_" in text


def test_blocks_are_commands_config_or_code() -> None:
    for block in blocks():
        recognized = documents.is_shell(block.text) or is_config(block) or is_other(block)
        assert recognized or block.language == "python", f"{block.page}: {block.first}"


def test_config_of_the_pages_is_read(project: Checkout) -> None:
    for block in blocks():
        if is_config(block) and not is_other(block) and not is_followed(block.page, block.text):
            load(yaml.safe_load(place_files(block.text, project)), PRESETS)


def test_commands_of_the_pages(project: Checkout) -> None:
    # Targets by the other words: Snakemake takes seconds to start.
    dry_runs: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for page, words, heredoc in written():
        line = shlex.join(words)
        match words:
            case _ if any(line.startswith(begin) for begin in SYSTEM) or is_followed(page, line):
                pass
            case ["python", "-"]:
                project.python("-c", heredoc)
            case ["python", program, *arguments] | [program, *arguments] if ".py" in program:
                check_program(program, arguments)
            case ["snakemake", "--list-target-rules" | "--unlock", *_]:
                project.snakemake(*words[1:])
            case ["snakemake", *arguments]:
                targets, flags = dry_run(page, arguments, project)
                dry_runs[flags].update(targets)
            case ["make", *arguments]:
                done = make(project.folder, "--dry-run", *arguments)
                assert done.returncode == 0, f"{line}: {done.stderr}"
                if arguments[0].startswith("results/"):
                    # The last line is its call of Snakemake.
                    call = shlex.split(done.stdout.splitlines()[-1])
                    targets, flags = dry_run(page, call, project)
                    dry_runs[flags].update(targets)
            case ["nearfirst", name]:
                assert name in nearfirst.COMMANDS, line
            case ["nearfirst", *arguments]:
                nearfirst.parser().parse_args(arguments)
            case ["export", *values]:
                assert all(re.match(r"[A-Z_]+=", value) for value in values), line
            case _:
                pytest.fail(f"{page}: this test cannot check {line}")
    for flags, targets in dry_runs.items():
        assert project.would_run(*targets, *flags)


def dry_run(page: str, words: list[str], project: Checkout) -> tuple[list[str], tuple[str, ...]]:
    """Return targets and flags of a dry run; a figure that the page adds gets the page's config."""
    targets = [word for word in words if word.startswith("results/")] or ["all"]
    values = sorted(place_files(word, project) for word in words if re.match(r"\w+=", word))
    handled = {"snakemake", *targets, *IGNORED}
    flags = [word for word in words if word not in handled and not re.match(r"\w+=", word)]
    for block in documents.split(page)[0]:
        content = yaml.safe_load(block.text) if is_config(block) else {}
        figures = content.get("figures") or {}
        if any(Path(target).stem in figures for target in targets):
            path = project.folder / f"{Path(page).stem}_{Path(targets[0]).stem}.yaml"
            path.write_text(place_files(block.text, project))
            flags += ["--configfile", path.name]
    return targets, (*flags, *(["--config", *values] if values else []))


def place_files(text: str, project: Checkout) -> str:
    """Create the reader's files and models beside the project; return text with their paths."""

    def create(match: re.Match[str]) -> str:
        path = project.folder.parent / match[1] / match[2]
        path.parent.mkdir(exist_ok=True)
        if match[1] == "models":
            path.mkdir(exist_ok=True)
        else:
            path.touch()
        return str(path)

    return re.sub(r"(?<!\w)/(data|models)/([\w.-]+)", create, text)


def check_program(program: str, arguments: list[str]) -> None:
    """Parse a command line with its program; of a benchmark, only look for the flags."""
    path = Path(program)
    assert (ROOT / path).is_file(), program
    if path.parent == Path("workflow/scripts"):
        if arguments != ["--help"]:
            documents.read_command_line(path.name, arguments)
        return
    code = "".join(file.read_text() for file in ROOT.glob("benchmarks/*.py"))
    for flag in (word for word in arguments if word.startswith("--")):
        assert f'"{flag}"' in code, f"{program}: no {flag}"
