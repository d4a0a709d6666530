"""Which files of this library a program is made of, so that a rule can name them as inputs."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# At the beginning of a line, or behind another statement of the line. Python's own parser takes 50
# times as long, and each call of Snakemake reads all files, that of a batch job too.
IMPORT = re.compile(
    r"(?:^|[;:])[ \t]*(?:"
    r"from[ \t]+(?P<dots>\.*)(?P<module>[\w.]*)[ \t]+import[ \t]*"
    r"(?P<names>\((?:[^)#]|#.*)*\)|[^;\n]*)"
    r"|import[ \t]+(?P<modules>[^;\n]*))",
    re.MULTILINE,
)


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


# Most programs share most modules.
@cache
def _imported(path: Path, root: Path) -> frozenset[Path]:
    """Return the files of the package that the imports in one file run."""
    return frozenset(file for name in imported_names(path, root) for file in _files(name, root))


def imported_names(path: Path, root: Path) -> set[str]:
    """Return the dotted names that the imports in a file name, modules and what lies in them."""
    names = set()
    for found in IMPORT.finditer(path.read_text().replace("\\\n", " ")):
        if found["modules"]:
            names.update(_listed(found["modules"]))
            continue
        module = _absolute(found["module"], len(found["dots"]), path, root)
        names.update([module, *(f"{module}.{name}" for name in _listed(found["names"]))])
    return names


def _listed(names: str) -> list[str]:
    """Return what an import lists: `(a, b as c,  # why` holds a and b."""
    parts = re.sub(r"#.*|[()]", "", names).split(",")
    return [part.split()[0] for part in parts if part.strip()]


def _absolute(module: str, level: int, path: Path, root: Path) -> str:
    """Return the dotted name of the module that a `from … import` names, relative or not."""
    if not level:
        return module
    package = path.relative_to(root).parent.parts
    return ".".join([*package[: len(package) - level + 1], *([module] if module else [])])


@cache
def _files(name: str, root: Path) -> list[Path]:
    """Return the files that importing a dotted name runs; none if it is not of the package."""
    parts = name.split(".")
    if parts[0] != "nearfirst":
        return []
    files = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    files.append(root.joinpath(*parts).with_suffix(".py"))
    return [path for path in files if path.is_file()]
