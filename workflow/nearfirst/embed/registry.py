"""Kinds of representation by name: each is one module of `embed/kinds/`.

The module of a kind has a class `Settings`, the type of its rows in the config, and a function
`represent(instances, settings, context)`, which returns the vectors of N instances.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.common.named_modules import Registry
from nearfirst.data.conversation import Message
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.model.settings import TemplateSettings

KINDS = Registry[RepresentationSettings]("nearfirst.embed.kinds", "kind")

BLOCK = 1024
"""Instances that share batches. Shards consist of whole blocks, so that an instance shares its
batches with the same others, and gets the same bits, whatever the number of shards."""


Matrix = npt.NDArray[np.float32]
Keep = Callable[[str, Callable[[], Matrix]], Matrix]
"""Returns the vectors of the block with a name: computes them, unless an earlier job kept them."""


def keep_nothing(_: str, compute: Callable[[], Matrix]) -> Matrix:
    """Compute a block, and keep nothing (a `Keep`)."""
    return compute()


class Instances(NamedTuple):
    """N instances: their ids, and a function that reads their messages, a few in memory at once."""

    ids: list[str]
    conversations: Callable[[], Iterator[list[Message]]]


class Context(NamedTuple):
    """Inputs of a representation besides its settings."""

    query: bool = False
    """Whether the instances are queries, not a pool."""
    pool: Callable[[], Iterator[list[Message]]] | None = None
    """Reads the messages of the whole pool; the instances may be a part of it, or its queries."""
    model: str = ""
    """The base model: folder or Hugging Face id."""
    template: TemplateSettings = TemplateSettings()
    warm_up: tuple[Path, ...] = ()
    """Folders of the segments of a warm-up run, each with `checkpoints/` and `state/`."""
    rates: tuple[float, ...] = ()
    """Mean learning rates of these segments."""
    keep: Keep = keep_nothing
    """Called for each block, so that a killed job goes on after the last one."""


class Represented(NamedTuple):
    """The (N, d) vectors of N instances; `cut` of them were truncated to `limit` tokens."""

    vectors: Matrix
    cut: int = 0
    limit: int | None = None


def shard_bounds(instances: int, shard: int, shards: int) -> tuple[int, int]:
    """Return the half-open range of a shard (from 1), in whole blocks; it may be empty."""
    blocks = -(-instances // BLOCK)
    first, last = (number * blocks // shards for number in (shard - 1, shard))
    return min(first * BLOCK, instances), min(last * BLOCK, instances)
