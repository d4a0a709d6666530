"""The kinds of figure by name: each is one module of `figures/kinds/`."""

import json
from types import ModuleType

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import find, names
from nearfirst.figures.figure import Figure

PACKAGE = "nearfirst.figures.kinds"


def kind_names() -> list[str]:
    """Return the names of the kinds."""
    return names(PACKAGE)


def module_of(kind: str) -> ModuleType:
    """Return the module of a kind. Raises ValueError if there is none of that name."""
    return find(PACKAGE, kind)


def settings_of(kind: str) -> type[Figure]:
    """Return the type of a kind's rows in the config; raises as `module_of`."""
    settings: type[Figure] = module_of(kind).Settings
    return settings


def parse(text: str) -> Figure:
    """Return the row of a figure from JSON.

    Raises
    ------
    InputError
        If the text is not a JSON object with a `kind`, or not a row of that kind.
    """
    try:
        kind = settings_of(json.loads(text)["kind"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"figure {text}: kind: {error}") from None
    return kind.parse(text)
