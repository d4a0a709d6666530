"""Modules found by name: adding one means adding a file to a folder, without other edits."""

import difflib
import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section

Row = TypeVar("Row", bound=Section)


class Registry(Generic[Row]):
    """The modules of a package, each with a class `Settings`, the type of its rows in the config.

    Parameters
    ----------
    package
        The package of the modules.
    key
        The key of a row that names its module.
    """

    def __init__(self, package: str, key: str) -> None:
        self.package, self.key = package, key

    def names(self) -> list[str]:
        """Return the names of the modules, as configs write them: `round-robin`."""
        folder = Path(str(import_module(self.package).__file__)).parent
        stems = (path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
        return sorted(stem.replace("_", "-") for stem in stems)

    def module(self, name: str) -> ModuleType:
        """Return a module; raise ValueError, which suggests the nearest name, if it is unknown."""
        known = self.names()
        if name not in known:
            raise ValueError(f"{name!r} is none of {', '.join(known)}{did_you_mean(name, known)}")
        return import_module(f"{self.package}.{name.replace('-', '_')}")

    def settings(self, name: str) -> type[Row]:
        """Return the type of a module's rows; raises the same error as `module`."""
        settings: type[Row] = self.module(name).Settings
        return settings

    def parse(self, text: str, **default: object) -> Row:
        """Return a row from JSON, with defaults for keys that it may lack.

        Raises InputError if the text is not a JSON object or not a valid row.
        """
        try:
            row = {**default, **json.loads(text)}
        except (ValueError, TypeError) as error:
            raise InputError(f"{text}: not a JSON object ({error})") from None
        try:
            kind = self.settings(str(row.get(self.key)))
        except ValueError as error:
            raise InputError(f"{self.key}: {error}") from None
        return kind.parse(json.dumps(row))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint at the most similar known name, or "" if none is similar."""
    nearest = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
