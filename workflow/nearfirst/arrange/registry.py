"""Methods of arranging by name (Sections 3 and 4).

A method is a module of `arrange/methods/` with a class `Settings` and a function `arrange`, or a
function in a file of the user's (`own_method`).
"""

from dataclasses import replace
from importlib import import_module
from types import ModuleType

import numpy as np

from nearfirst.arrange.budget import limit_order
from nearfirst.arrange.pool import Arranged, Pool
from nearfirst.arrange.settings import ArrangementSettings
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
    method = settings.method
    for need in sorted(settings.all_needs()):
        count = len(pool.train if need == "embeddings" else getattr(pool, need))
        if not count or (count != pool.size and need not in ("queries", "query_tasks")):
            raise InputError(
                f"method {method!r} needs {need}, and got {count} for {pool.size} instances"
            )
    arranged: Arranged = METHODS.module(method).arrange(pool, settings, seed)
    order, returned = arranged.order, f"method {method!r} returned"
    if order.ndim != 1 or order.dtype.kind not in "iu" or not len(order):
        raise InputError(
            f"{returned} an array of {order.dtype} and shape {order.shape}; expected a "
            "one-dimensional array of instance indices"
        )
    if ((order < 0) | (order >= pool.size)).any():
        raise InputError(f"{returned} an index that is not from 0 to {pool.size - 1}")
    counts = np.bincount(order)
    if counts.max() > 1:
        raise InputError(f"{returned} instance {counts.argmax()} twice")
    return limit_order(replace(arranged, order=order.astype(np.int64, copy=False)), pool, settings)
