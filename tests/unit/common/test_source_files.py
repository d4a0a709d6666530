"""The modules that a rule names as inputs are the ones that its program imports."""

import ast
from pathlib import Path

import pytest

from nearfirst.common.source_files import imported_names, library_modules

ROOT = Path(__file__).parents[3] / "workflow"
PROGRAMS = sorted((ROOT / "scripts").glob("*.py"))

PACKAGE = {
    "nearfirst/__init__.py": "",
    "nearfirst/direct.py": "from nearfirst.deep.inner import thing\nimport os, numpy\n",
    "nearfirst/deep/__init__.py": "",
    "nearfirst/deep/inner.py": "def thing():\n    import nearfirst.deep.hidden\n",
    "nearfirst/deep/hidden.py": "from nearfirst import deep\nfrom nearfirst import cycle\n",
    "nearfirst/cycle.py": "from nearfirst import cycle, direct\n",
    "nearfirst/deep/beside.py": "from . import unused\n",
    "nearfirst/deep/above.py": "from ..unused import x\n",
    "nearfirst/deep/inside/__init__.py": "from .part import x\n",
    "nearfirst/deep/inside/part.py": "from ... import unused\n",
    "nearfirst/unused.py": "",
    "nearfirst/deep/unused.py": "",
    "nearfirster.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


DEEP = ["deep/__init__"]
INNER = ["__init__", "cycle", "deep/__init__", "deep/hidden", "deep/inner", "direct"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os, numpy, nearfirster", []),
        ("def f():\n    if f:\n        from nearfirst import cycle", INNER),
        ("import os, nearfirst.direct", INNER),
        ("from nearfirst.deep import beside", ["__init__", *DEEP, "deep/beside", "deep/unused"]),
        ("from nearfirst.deep import above", ["__init__", *DEEP, "deep/above", "unused"]),
        (
            "from nearfirst.deep import inside",
            ["__init__", *DEEP, "deep/inside/__init__", "deep/inside/part", "unused"],
        ),
        ("'''from nearfirst import unused'''", []),
        (
            "from nearfirst.deep import (  # why\n    unused,\n    beside as x,  # y, z\n)",
            ["__init__", *DEEP, "deep/beside", "deep/unused"],
        ),
        ("from nearfirst import (  # (why)\n    unused,\n)", ["__init__", "unused"]),
        ("import os; import nearfirst.unused; f()", ["__init__", "unused"]),
        ("def f(): from nearfirst import unused", ["__init__", "unused"]),
        ("from nearfirst import \\\n    unused", ["__init__", "unused"]),
        ("from  nearfirst  import(unused)", ["__init__", "unused"]),
    ],
)
def test_every_kind_of_import(root: Path, text: str, expected: list[str]) -> None:
    program = root / "program.py"
    program.write_text(text)
    files = [root / "nearfirst" / f"{name}.py" for name in expected]
    assert library_modules(program, root) == sorted(files)


def test_no_import_of_the_project_is_overlooked() -> None:
    for path in (ROOT / "nearfirst").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        expected = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                package = ["nearfirst", *path.parent.relative_to(ROOT / "nearfirst").parts]
                above = package[: len(package) + 1 - node.level] if node.level else []
                module = ".".join([*above, *([node.module] if node.module else [])])
                expected |= {f"{module}.{alias.name}" for alias in node.names}
        assert expected <= imported_names(path, ROOT), path


def test_a_program_does_not_depend_on_the_whole_config_or_on_other_stages() -> None:
    modules = {
        program.stem: {path.relative_to(ROOT / "nearfirst").as_posix() for path in result}
        for program in PROGRAMS
        if (result := library_modules(program, ROOT)) and program.stem != "plan"
    }
    assert not any(name.startswith("config/") for names in modules.values() for name in names)
    for program, other in (
        ("evaluate", "train/"),
        ("distances", "arrange/"),
        ("train", "figures/"),
    ):
        assert not [name for name in modules[program] if name.startswith(other)]
