"""Progress of long jobs: a bar in the log, and every few seconds a line on the screen."""

import logging
import time
from collections.abc import Iterable
from typing import TextIO, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

EVERY = 15
"""Seconds between two lines of a job on the screen, which jobs share."""


class Screen:
    """Where a program shows its progress while its output goes to a log."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self.name, self.shown = "", 0.0

    def open(self, stream: TextIO, name: str) -> None:
        """Show lines of the job `name` from now on, the first after `EVERY` seconds."""
        self.stream, self.name, self.shown = stream, name, time.monotonic()

    def show(self, text: str) -> None:
        """Show a line, unless the last one was shown less than `EVERY` seconds ago."""
        now = time.monotonic()
        if self.stream and now - self.shown >= EVERY:
            self.shown = now
            print(f"{self.name}: {text}", file=self.stream, flush=True)


SCREEN = Screen()


class _Bar(tqdm):  # type: ignore[type-arg]
    def display(self, *args: object, **kwargs: object) -> None:
        super().display(*args, **kwargs)  # type: ignore[arg-type]
        rate = self.format_dict["rate"]
        left = f", {(self.total - self.n) / rate:.0f} s left" if rate and self.total else ""
        total = f" of {self.total}" if self.total else ""
        SCREEN.show(f"{self.desc.rstrip(': ')} {self.n}{total}{left}")


def bar(items: Iterable[Item], what: str, total: int | None = None) -> "tqdm[Item]":
    """Iterate over the items with a progress bar, shown after five seconds.

    Only in programs, which log at level INFO; other uses of the library stay silent.
    """
    silent = not logging.getLogger().isEnabledFor(logging.INFO)
    return _Bar(items, what, total, unit="", mininterval=5, delay=5, disable=silent)
