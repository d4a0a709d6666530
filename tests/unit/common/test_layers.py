"""Folders of the library are layers: their imports have no cycles."""

from graphlib import TopologicalSorter
from pathlib import Path

from nearfirst.common.source_files import library_modules

WORKFLOW = Path(__file__).parents[3] / "workflow"
LIBRARY = WORKFLOW / "nearfirst"


def place(path: Path) -> str:
    """Return the folder or the top-level module of the library that a file belongs to."""
    return path.relative_to(LIBRARY).parts[0]


def test_imports_of_folders_have_no_cycle():
    needs: dict[str, set[str]] = {}
    for path in LIBRARY.rglob("*.py"):
        imports = {place(module) for module in library_modules(path, WORKFLOW)}
        needs.setdefault(place(path), set()).update(imports - {place(path), "__init__.py"})
    order = list(TopologicalSorter(needs).static_order())  # raises CycleError, which names them
    assert order.index("common") < order.index("figures") < order.index("config")
