"""Methods of arranging by name (Sections 3 and 4).

A method is a module of `arrange/methods/` with a class `Settings` and a function `arrange`, or a
function in a file of the user's (`own_method`).
"""

from collections.abc import Sized
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import numpy as np

from nearfirst.arrange.budget import within
from nearfirst.arrange.pool import Arranged, Pool
from nearfirst.arrange.settings import ArrangementSettings, Need
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import Registry


class _Methods(Registry[ArrangementSettings]):
    def module(self, name: str) -> ModuleType:
        """Return the module of a method; one in a file of the user's own has a colon."""
        if ":" not in name:
            return super().module(name)
        # Not an import that a program is seen to make: it concerns only rows that name a file.
        return import_module("nearfirst.arrange.own_method")


METHODS = _Methods("nearfirst.arrange.methods", "method")


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Arrange the instances of a pool.

    Raises
    ------
    InputError
        If the pool lacks what is needed; if the method or `within` raises it; or if the order
        repeats an instance or names one that is not in the pool.
    """
    parts: dict[Need, Sized]
    parts = {"tasks": pool.tasks, "messages": pool.messages, "embeddings": pool.train}
    parts |= {"scores": pool.scores, "tokens": pool.tokens}
    of_queries: dict[Need, tuple[str, Sized]] = {
        "queries": ("messages", pool.queries),
        "query_tasks": ("tasks", pool.query_tasks),
    }
    for name, (what, its) in of_queries.items():
        if name in settings.looks_at() and not its:
            raise InputError(f"method {settings.method!r} needs the {what} of the queries")
    for what in sorted(settings.looks_at() - of_queries.keys()):
        if len(parts[what]) != pool.size:
            raise InputError(
                f"method {settings.method!r} needs the {what} of all {pool.size} training "
                f"instances, and got {len(parts[what])}"
            )
    arranged: Arranged = METHODS.module(settings.method).arrange(pool, settings, seed)
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
    return within(replace(arranged, order=order.astype(np.int64, copy=False)), pool, settings)
