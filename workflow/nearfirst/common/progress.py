"""Progress bars for long loops."""

import logging
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def bar(items: Iterable[Item], what: str, total: int) -> "tqdm[Item]":
    """Return the items with a bar of rate and time left, shown after five seconds.

    It shows in programs, which log at level INFO, and stays silent in other uses of the library.
    """
    silent = not logging.getLogger().isEnabledFor(logging.INFO)
    return tqdm(items, what, total, unit="", mininterval=5, delay=5, disable=silent)
