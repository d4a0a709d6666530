"""Arrangements: in which order training instances are seen (Sections 3 and 4).

One of one's own is a function and a line in `METHODS`: docs/arrangements.md.
"""

from shlex import quote

import numpy as np

from nearfirst.arrange.by_task import cluster, random, round_robin
from nearfirst.arrange.optimal_transport import optimal_transport
from nearfirst.arrange.pool import Arranged, Method, Need, Pool
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.arrange.tma_order import tma
from nearfirst.arrange.wsd import wsd
from nearfirst.common.errors import InputError

TASKS: frozenset[Need] = frozenset({"tasks"})
EMBEDDINGS: frozenset[Need] = frozenset({"embeddings"})

METHODS: dict[str, Method] = {
    "random": Method(random),
    "round-robin": Method(round_robin, TASKS),
    "cluster": Method(cluster, TASKS),
    "wsd": Method(
        wsd,
        EMBEDDINGS,
        reads=("order", "granularity"),
        seeded=lambda s: s.order == "random" or s.granularity == "task",
    ),
    "tma": Method(
        tma,
        EMBEDDINGS,
        reads=("order", "within_round", "rounds", "budget", "select", "farthest"),
        seeded=lambda s: s.order == "random" or s.within_round == "shuffle",
    ),
    "optimal-transport": Method(
        optimal_transport, EMBEDDINGS, reads=("order",), seeded=lambda s: s.order == "random"
    ),
}


def arrange(pool: Pool, settings: ArrangementSettings, seed: int) -> Arranged:
    """Arrange the instances of a pool.

    Raises
    ------
    InputError
        As `check`, if the pool lacks what the method needs, as the method, or if the order holds an
        instance twice or one that the pool does not hold.
    """
    method = check(settings)
    given = {"tasks": len(pool.tasks), "embeddings": len(pool.train)}
    for what in sorted(needs(settings)):
        if given[what] != pool.size:
            raise InputError(
                f"method {settings.method!r} needs the {what} of all {pool.size} training "
                f"instances, and got {given[what]}"
            )
    arranged = method.arrange(pool, settings, seed)
    order = arranged.order
    if order.dtype.kind != "i" or ((order < 0) | (order >= pool.size)).any():
        raise InputError(
            f"method {settings.method!r} returned no order of indices from 0 to {pool.size - 1}"
        )
    if np.bincount(order).max(initial=0) > 1:
        raise InputError(f"method {settings.method!r} returned an instance twice")
    return arranged


def check(settings: ArrangementSettings) -> Method:
    """Return the method, if there is one of that name and it reads all that is set.

    Raises
    ------
    InputError
        Begins with the key at fault.
    """
    method = METHODS.get(settings.method)
    if method is None:
        raise InputError(f"method: {settings.method!r} is none of {', '.join(METHODS)}")
    # How long to train is not the method's to read.
    read = {"method", "steps", *method.reads}
    for name, field in type(settings).model_fields.items():
        if name not in read and getattr(settings, name) != field.default:
            raise InputError(
                f"{name}: method {settings.method!r} does not read it; "
                f"it reads {', '.join(method.reads) or 'no parameter'}"
            )
    return method


def needs(settings: ArrangementSettings) -> frozenset[Need]:
    """Return what an arrangement needs of a pool; whole tasks cannot be ordered without tasks."""
    method = METHODS[settings.method]
    return method.needs | TASKS if settings.granularity == "task" else method.needs


def is_seeded(settings: ArrangementSettings) -> bool:
    """Return whether another seed can give another order."""
    return METHODS[settings.method].seeded(settings)


def flag(name: str) -> str:
    """Return the flag of the program that sets a parameter."""
    return f"--{name.replace('_', '-')}"


def flags(settings: ArrangementSettings) -> str:
    """Return the flags of the program for an arrangement, quoted for the shell.

    The method, its order if it reads one, and what else is not at its default.
    """
    parts = ["--method", settings.method]
    for name in METHODS[settings.method].reads:
        value = getattr(settings, name)
        if name == "order" or value != type(settings).model_fields[name].default:
            parts += [flag(name), *map(str, value if isinstance(value, tuple) else (value,))]
    return " ".join(map(quote, parts))
