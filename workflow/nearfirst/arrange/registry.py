"""Methods of arranging by name (Sections 3 and 4).

A method is a module of `arrange/methods/` with a class `Settings` and a function `arrange`, or a
function in a file of the user's (`own_method`).
"""

import json
from collections.abc import Sized
from dataclasses import replace
from types import ModuleType

import numpy as np

from nearfirst.arrange.pool import Arranged, Pool
from nearfirst.arrange.settings import ArrangementSettings, Need
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import find, names

PACKAGE = "nearfirst.arrange.methods"


def method_names() -> list[str]:
    """Return the names of the methods; a method of the user's own has none."""
    return names(PACKAGE)


def module_of(method: str) -> ModuleType:
    """Return the module of a method; raises ValueError if there is none of that name."""
    return find("nearfirst.arrange", "own-method") if ":" in method else find(PACKAGE, method)


def settings_of(method: str) -> type[ArrangementSettings]:
    """Return the type of a method's rows in the config; raises as `module_of`."""
    settings: type[ArrangementSettings] = module_of(method).Settings
    return settings


def parse(text: str) -> ArrangementSettings:
    """Return the settings of an arrangement from JSON; raises InputError if it cannot be used."""
    try:
        method = json.loads(text)["method"]
        kind = settings_of(method)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"--settings {text}: method: {error}") from None
    return kind.parse(text)


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Arrange the instances of a pool.

    Raises
    ------
    InputError
        If the pool lacks what the method needs; if the method raises it; or if the order repeats an
        instance or names one that is not in the pool.
    """
    parts: dict[Need, Sized]
    parts = {"tasks": pool.tasks, "messages": pool.messages, "embeddings": pool.train}
    for what in sorted(settings.required()):
        if len(parts[what]) != pool.size:
            raise InputError(
                f"method {settings.method!r} needs the {what} of all {pool.size} training "
                f"instances, and got {len(parts[what])}"
            )
    arranged: Arranged = module_of(settings.method).arrange(pool, settings, seed)
    order, returned = arranged.order, f"method {settings.method!r} returned"
    if order.ndim != 1 or order.dtype.kind not in "iu" or not len(order):
        raise InputError(
            f"{returned} an array of {order.dtype} and shape {order.shape}; expected the indices "
            "of instances, in one dimension"
        )
    if ((order < 0) | (order >= pool.size)).any():
        raise InputError(f"{returned} an index that is not from 0 to {pool.size - 1}")
    counts = np.bincount(order)
    if counts.max() > 1:
        raise InputError(f"{returned} instance {counts.argmax()} twice")
    return replace(arranged, order=order.astype(np.int64, copy=False))
