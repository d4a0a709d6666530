"""pyproject.toml, the environment of each stage and the lock file pin the same versions."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import nearfirst
from nearfirst.common.source_files import library_modules

REPOSITORY = Path(__file__).parents[2]
ROOT = REPOSITORY / "workflow"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines: list[str]) -> dict[str, str]:
    """Return package to version; every line must pin exactly."""
    versions = {}
    for line in lines:
        match = re.fullmatch(r"([\w.-]+)==([\w.]+)", line)
        assert match, f"{line!r} does not pin an exact version"
        versions[normal(match[1])] = match[2]
    assert len(versions) == len(lines), "a package is pinned twice"
    return versions


PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
RUN, DEVELOP = (
    pins([*EXTRAS["workflow"], *EXTRAS["harness"]]),
    pins([*EXTRAS["dev"], *EXTRAS["trainers"]]),
)
LOCK = [
    line
    for name in ("requirements.lock", "requirements-harness.lock")
    for line in (REPOSITORY / name).read_text().split()
]


@cache
def environment(name: str) -> dict[str, str]:
    content = yaml.safe_load((REPOSITORY / "envs" / name).read_text())
    (packages,) = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
    return pins(packages)


ENVIRONMENTS = sorted(path.name for path in (REPOSITORY / "envs").glob("*.yaml"))


def rules() -> list[tuple[str, str, str]]:
    """Return the name, the program and the environment of every rule."""
    rules = []
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        for name, body in re.findall(
            r"^rule (\w+):\n((?:(?:[ \t].*)?\n)+)", path.read_text(), re.M
        ):
            if "code(" not in body:  # `wait_for_evaluation` runs no program
                continue
            program = re.findall(r'\bcode\("(\w+\.py)"\)', body)
            conda = re.findall(r'conda:\s*"\.\./envs/(\w+\.yaml)"', body)
            assert len(program) == len(conda) == 1, f"{path.name}: rule {name}"
            rules.append((name, program[0], conda[0]))
    # Rules defined in a loop are named after their program.
    found = {program for _, program, _ in rules} | {"plan.py"}
    looped = sorted({path.name for path in (ROOT / "scripts").glob("*.py")} - found)
    rules += [(program[:-3], program, "figures.yaml") for program in looped]
    return rules


PACKAGES = packages_distributions()


@cache
def imported(path: Path) -> set[str]:
    """Return the third-party packages that one file imports."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules.add(str(node.module).split(".")[0])
    return {normal(PACKAGES[m][0]) for m in modules - sys.stdlib_module_names - {"nearfirst"}}


METHODS, FORMATS, REPRESENTATIONS, COMMANDS, FIGURES = (
    [*(ROOT / "nearfirst" / folder).glob("*.py")]
    for folder in ("arrange/methods", "data/formats", "embed/kinds", "command", "figures")
)
BY_NAME = {
    **dict.fromkeys(("arrange.py", "api.py"), METHODS),
    "sample.py": FORMATS,
    "embed.py": REPRESENTATIONS,
    "figure_numbers.py": FIGURES,
    "main.py": [*METHODS, *COMMANDS],
}
"""Modules that a program finds by name."""


def imports_of(program: Path) -> set[str]:
    """Return the packages that a program imports, directly or through the library."""
    starts = [program, *BY_NAME.get(program.name, [])]
    modules = {module for start in starts for module in library_modules(start, ROOT)}
    return set().union(*map(imported, {*starts, *modules}))


def test_all_rules_are_found() -> None:
    names, programs, environments = map(set, zip(*rules(), strict=True))
    # plan.py belongs to no rule.
    assert programs == {path.name for path in (ROOT / "scripts").glob("*.py")} - {"plan.py"}
    assert names >= {"train", "figure_numbers", "metric_tasks"}
    assert environments == set(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_has_the_pins_of_the_project(name: str) -> None:
    assert environment(name).items() <= RUN.items()


@pytest.mark.parametrize(("name", "program", "conda"), rules())
def test_an_environment_has_what_its_programs_import(name: str, program: str, conda: str) -> None:
    packages = imports_of(ROOT / "scripts" / program)
    assert "pydantic" in packages, "every program reads settings"
    assert packages - set(environment(conda)) == set(), name


def test_the_library_and_the_command_require_what_they_import() -> None:
    library, embed = (
        {re.split("[<>=]", line)[0] for line in lines}
        for lines in (PROJECT["project"]["dependencies"], EXTRAS["embed"])
    )
    assert imports_of(ROOT / "nearfirst/api.py") == library
    assert imports_of(ROOT / "nearfirst/command/main.py") | library == embed | library
    assert embed | library <= set(RUN)


def test_the_lock_file_repeats_the_pins() -> None:
    assert pins(LOCK).items() >= {**RUN, **DEVELOP}.items()


def test_pre_commit_runs_the_pinned_versions() -> None:
    content = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    revisions = {repo["repo"].rpartition("/")[2]: repo["rev"] for repo in content["repos"]}
    names = {"ruff-pre-commit": "ruff", "snakefmt": "snakefmt", "codespell": "codespell"}
    assert revisions == {repo: f"v{DEVELOP[name]}" for repo, name in names.items()}


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["version"] == nearfirst.__version__
    first = re.search(r"^## ([\d.]+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)
    assert first
    assert first[1] == nearfirst.__version__
