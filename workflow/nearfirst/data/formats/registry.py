"""The formats of data by name: each is one module of this folder.

A module of a format has

- `Settings`, a `data.settings.Dataset` whose key `format` is the module's name;
- `FILES`, the patterns of the files that it reads in a folder;
- `read(settings, path)`, which yields instances; reading again yields the same ones. If
  `Settings.needs_tokenizer` it takes a third argument, the folder of the base model.
"""

import difflib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.settings import Dataset


def names() -> list[str]:
    """Return the formats there are, sorted."""
    found = {path.stem for path in Path(__file__).parent.glob("*.py")}
    return sorted(found - {"__init__", "registry"})


def module(name: str) -> Any:
    """Return the module of a format.

    Raises
    ------
    InputError
        If there is no such format; those that there are, and the nearest, are named.
    """
    known = names()
    if name not in known:
        nearest = difflib.get_close_matches(name, known, 1, 0.6)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(f"format: {name!r} is none of {', '.join(known)}{hint}")
    return importlib.import_module(f"{__package__}.{name}")


def path(name: str) -> Path:
    """Return the file of a format's module, for the rules: what it imports is read from it."""
    return Path(str(module(name).__file__))


def settings_class(name: str) -> type[Dataset]:
    """Return the class of a data set's row in the config. Raises InputError as `module`."""
    found: type[Dataset] = module(name).Settings
    return found


def read(settings: Dataset, path: Path, *given: Any) -> Iterator[Instance]:
    """Yield the instances of a data set, as the `read` of its format does."""
    found: Iterator[Instance] = module(settings.format).read(settings, path, *given)
    return found
