"""Stage programs in processes forked from one that has imported torch already."""

import itertools
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import warm
from warm_client import exit_code, request

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"
Program = Callable[..., subprocess.CompletedProcess[str]]
"""Type of the fixtures that run a program to its end: `program("score.py", "--output", path)`."""
PRINTED, NUMBERS = tempfile.TemporaryDirectory(), itertools.count()


def environment() -> dict[str, str]:
    """Return the environment of a program: with the library, without network, on one core."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), **warm.ENVIRONMENT}


def command(name: str, *arguments: object) -> list[str]:
    """Return the command line of a program."""
    return [sys.executable, str(SCRIPTS / name), *map(str, arguments)]


def wait_until(condition: Callable[[], object], what: str, limit: float = 120) -> None:
    """Wait until a condition holds; fail after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s"
        time.sleep(0.005)


class Running:
    """A running program, used like `subprocess.Popen`; its output goes to the file `printed`."""

    def __init__(self, words: Sequence[str]) -> None:
        self.printed = Path(PRINTED.name, str(next(NUMBERS)))
        with Path(os.devnull).open() as nothing, self.printed.open("w") as printed:
            streams = (nothing.fileno(), printed.fileno(), printed.fileno())
            address = f"{warm.folder_of_python()}/socket"
            self.server, self.pid = request(words[1:], environment(), streams, address)
        self.code: int | None = None

    def poll(self, timeout: float | None = 0) -> int | None:
        """Return the exit code if it ends before the timeout."""
        if self.code is None and select.select([self.server], [], [], timeout)[0]:
            self.code = exit_code(self.server)
        return self.code

    def wait(self, timeout: float | None = 300) -> int:
        """Wait for the end; return the exit code."""
        code = self.poll(timeout)
        assert code is not None, f"{self.printed}: not within {timeout} s"
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal only to this process."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
