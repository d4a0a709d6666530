"""Which files of this library a program is made of, so that a rule can name them as inputs."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path


def library_modules(program: Path, root: Path) -> list[Path]:
    """Return the files of `nearfirst` that a program imports, directly or through another.

    Found by reading, not by importing: nothing heavy is loaded, and an import inside a function
    counts like one at the top. Paths are below `root`, the folder that holds the package, and
    sorted; packages' `__init__.py` are included.
    """
    found: set[Path] = set()
    todo = [program]
    while todo:
        new = _imported(todo.pop(), root) - found
        found |= new
        todo += new
    return sorted(found)


def word_files(modules: Iterable[Path]) -> list[Path]:
    """Return the word files of modules, sorted: `words/NAME.yaml` beside `NAME.py`."""
    files = {module.parent / "words" / f"{module.stem}.yaml" for module in modules}
    return sorted(path for path in files if path.is_file())


# Most programs share most modules, and reading one takes milliseconds.
@cache
def _imported(path: Path, root: Path) -> frozenset[Path]:
    """Return the files of the package that the imports in one file run."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path, root)
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        found.update(file for name in names for file in _files(name, root))
    return frozenset(found)


def _absolute(node: ast.ImportFrom, path: Path, root: Path) -> str:
    """Return the dotted name of the module that a `from … import` names, relative or not."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parent.parts
    start = package[: len(package) - node.level + 1]
    return ".".join([*start, *([node.module] if node.module else [])])


def _files(name: str, root: Path) -> list[Path]:
    """Return the files that importing a dotted name runs; none if it is not of the package."""
    parts = name.split(".")
    if parts[0] != "nearfirst":
        return []
    files = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    files.append(root.joinpath(*parts).with_suffix(".py"))
    return [path for path in files if path.is_file()]
