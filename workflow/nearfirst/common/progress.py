"""Progress bars of long loops, where somebody looks."""

import logging
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def bar(items: Iterable[Item], what: str, total: int) -> Iterable[Item]:
    """Return the items, with a bar that tells rate and time left, from five seconds on.

    A program logs its progress and gets the bar; the library used from elsewhere keeps still.
    """
    told = logging.getLogger().isEnabledFor(logging.INFO)
    return tqdm(items, what, total, unit="", mininterval=5, delay=5, disable=not told)
