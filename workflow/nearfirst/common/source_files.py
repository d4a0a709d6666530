"""The library files that a program imports, so that a rule can name them as inputs."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# At the start of a line or after another statement. Python's parser takes 50 times as long, and
# every call of Snakemake, including each batch job, reads all files.
IMPORT = re.compile(
    r"(?:^|[;:])[ \t]*(?:"
    r"from[ \t]+(?P<dots>\.*)(?P<module>[\w.]*)[ \t]+import[ \t]*"
    r"(?P<names>\((?:[^)#]|#.*)*\)|[^;\n]*)"
    r"|import[ \t]+(?P<modules>[^;\n]*))",
    re.MULTILINE,
)


def library_modules(program: Path, root: Path) -> list[Path]:
    """Return the files of `nearfirst` that a program imports, directly or indirectly, sorted.

    They are found by reading, not by importing: nothing heavy is loaded, and imports inside
    functions count. `root` is the folder that holds the package. `__init__.py` files are included.
    """
    files: set[Path] = set()
    todo = [program]
    while todo:
        new = _imported_files(todo.pop(), root) - files
        files |= new
        todo += new
    return sorted(files)


def word_files(modules: Iterable[Path]) -> list[Path]:
    """Return the word files of modules, sorted: `words/NAME.yaml` beside `NAME.py`."""
    files = {module.parent / "words" / f"{module.stem}.yaml" for module in modules}
    return sorted(path for path in files if path.is_file())


@cache  # most programs share most modules
def _imported_files(path: Path, root: Path) -> frozenset[Path]:
    names = imported_names(path, root)
    return frozenset(file for name in names for file in _module_files(name, root))


def imported_names(path: Path, root: Path) -> set[str]:
    """Return the dotted names of the modules, and of the names in them, that a file imports."""
    names = set()
    for match in IMPORT.finditer(path.read_text().replace("\\\n", " ")):
        if match["modules"]:
            names.update(_split_names(match["modules"]))
            continue
        module = _absolute_name(match["module"], len(match["dots"]), path, root)
        names.update([module, *(f"{module}.{name}" for name in _split_names(match["names"]))])
    return names


def _split_names(names: str) -> list[str]:
    """Return the names in an import list: a and b in `(a, b as c,  # why`."""
    parts = re.sub(r"#.*|[()]", "", names).split(",")
    return [part.split()[0] for part in parts if part.strip()]


def _absolute_name(module: str, level: int, path: Path, root: Path) -> str:
    if not level:
        return module
    package = path.relative_to(root).parent.parts
    return ".".join([*package[: len(package) - level + 1], *([module] if module else [])])


@cache
def _module_files(name: str, root: Path) -> list[Path]:
    """Return the files that importing a dotted name runs; none outside the package."""
    parts = name.split(".")
    if parts[0] != "nearfirst":
        return []
    files = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    files.append(root.joinpath(*parts).with_suffix(".py"))
    return [path for path in files if path.is_file()]
