"""Methods of arranging by name (Sections 3 and 4).

A method is a module of `arrange/methods/` with a class `Settings` and a function `arrange`, or a
function in a file of the user's (`own_method`).
"""

from collections.abc import Sized
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import numpy as np

from nearfirst.arrange.budget import limit_order
from nearfirst.arrange.pool import Arranged, Pool
from nearfirst.arrange.settings import ArrangementSettings, Need
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import Registry


class _Methods(Registry[ArrangementSettings]):
    def module(self, name: str) -> ModuleType:
        """Return the module of a method; a function in a user's file has a colon in its name."""
        if ":" not in name:
            return super().module(name)
        # Hidden from the search for imports: an edit concerns only rows that name a file.
        return import_module("nearfirst.arrange.own_method")


METHODS = _Methods("nearfirst.arrange.methods", "method")


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Arrange the instances of a pool.

    Raises InputError if the pool lacks something the settings need, if the order repeats an
    instance or holds an index outside the pool, or as the method and `limit_order` do.
    """
    method, needs = settings.method, settings.all_needs()
    if "queries" in needs and not pool.queries:
        raise InputError(f"method {method!r} needs the messages of the queries")
    if "query_tasks" in needs and not pool.query_tasks:
        raise InputError(f"method {method!r} needs the tasks of the queries")
    parts: dict[Need, Sized] = {
        "embeddings": pool.train,
        "messages": pool.messages,
        "scores": pool.scores,
        "tasks": pool.tasks,
        "tokens": pool.tokens,
    }
    for need, part in parts.items():
        if need in needs and len(part) != pool.size:
            raise InputError(
                f"method {method!r} needs the {need} of all {pool.size} training instances, and "
                f"got {len(part)}"
            )
    arranged: Arranged = METHODS.module(method).arrange(pool, settings, seed)
    order, returned = arranged.order, f"method {method!r} returned"
    if order.ndim != 1 or order.dtype.kind not in "iu" or not len(order):
        # What is no sequence, such as None, is an array without dimensions.
        scalar = type(order.item()).__name__ if not order.ndim else ""
        found = scalar or f"an array of {order.dtype} and shape {order.shape}"
        raise InputError(
            f"{returned} {found}; expected a one-dimensional array of instance indices"
        )
    if ((order < 0) | (order >= pool.size)).any():
        raise InputError(f"{returned} an index that is not from 0 to {pool.size - 1}")
    counts = np.bincount(order)
    if counts.max() > 1:
        raise InputError(f"{returned} instance {counts.argmax()} twice")
    return limit_order(replace(arranged, order=order.astype(np.int64, copy=False)), pool, settings)
