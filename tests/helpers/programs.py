"""Stage programs in processes forked from one that has imported torch already."""

import itertools
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing import forkserver
from pathlib import Path

import pytest
import warm

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"
Program = Callable[..., subprocess.CompletedProcess[str]]
"""Type of the fixtures that run a program to its end: `program("score.py", "--output", path)`."""
PRINTED, NUMBERS = tempfile.TemporaryDirectory(), itertools.count()
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", *warm.PRELOADED])


def environment() -> dict[str, str]:
    """Return the environment of a program: with the library, without network, on one core."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "workflow"),
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }


def command(name: str, *arguments: object) -> list[str]:
    """Return the command line of a program."""
    return [sys.executable, str(SCRIPTS / name), *map(str, arguments)]


class Running:
    """A running program, used like `subprocess.Popen`; its output goes to the file `printed`.

    `limit` is the maximum size of its files, in bytes.
    """

    def __init__(self, words: Sequence[str], limit: int | None = None) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment().items():
                patch.setenv(name, value)
            forkserver.ensure_running()  # its imports read some of these variables
        self.printed = Path(PRINTED.name, str(next(NUMBERS)))
        arguments = (list(words[1:]), str(self.printed), environment(), limit)
        self.process = CONTEXT.Process(target=_run, args=arguments)
        self.process.start()
        assert self.process.pid
        self.pid = self.process.pid

    def poll(self) -> int | None:
        """Return the exit code if it has ended."""
        return self.process.exitcode

    def wait(self, timeout: float | None = 300) -> int:
        """Wait for the end; return the exit code."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.printed), timeout or 0)
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal only to this process."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _run(words: list[str], printed: str, environ: dict[str, str], limit: int | None) -> None:
    """Run the program, as the leader of a new process group."""
    os.setsid()
    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    warm.run(words, environ)
