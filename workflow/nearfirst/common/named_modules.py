"""Modules found by name: whoever adds one adds a file to a folder, and edits nothing."""

import difflib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType


def names(package: str) -> list[str]:
    """Return the names of a package's modules, as configs write them: `round-robin`."""
    folder = Path(str(import_module(package).__file__)).parent
    found = (path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return sorted(name.replace("_", "-") for name in found)


def find(package: str, name: str) -> ModuleType:
    """Return the module of that name; raises ValueError, which names the nearest, if none is."""
    known = names(package)
    if name not in known:
        raise ValueError(f"{name!r} is none of {', '.join(known)}{did_you_mean(name, known)}")
    return import_module(f"{package}.{name.replace('-', '_')}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest of the known names, or nothing if none is near."""
    nearest = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
