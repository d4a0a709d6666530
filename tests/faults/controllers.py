"""Snakemake as a process that a test can kill, and its jobs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from checkout import Checkout
from cluster import clean_environment
from files import contents
from programs import wait_until

TARGET = "results/checkpoints/flan/random/seed-0/0-end"
PROGRAM = "workflow/scripts/train.py"
LOG = "results/logs/train/flan_random_seed-0_0-end.log"


@dataclass(frozen=True)
class Controller:
    """A running Snakemake, and the file with its output."""

    process: subprocess.Popen[bytes]
    printed: Path

    @classmethod
    def start(cls, checkout: Checkout, *arguments: str, python: str = "") -> Controller:
        """Start Snakemake in the folder of a checkout, with the Python of a folder for all jobs."""
        printed = checkout.folder.parent / "printed"
        with printed.open("w") as file:
            process = subprocess.Popen(
                ["python", "-m", "snakemake", *arguments],
                cwd=checkout.folder,
                env=clean_environment(python),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(process, printed)

    def kill(self) -> None:
        """Kill Snakemake, but not its jobs."""
        assert self.process.poll() is None
        os.kill(self.process.pid, signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL

    def end(self, limit: float = 300) -> str:
        """Wait until it succeeds; return its output."""
        code = self.process.wait(timeout=limit)
        assert code == 0, self.printed.read_text()
        return self.printed.read_text()


def processes_in(checkout: Checkout) -> Iterator[tuple[psutil.Process, list[str]]]:
    """Yield the processes in a checkout, whatever started them, and their command lines."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if Path(process.cwd()).is_relative_to(checkout.folder.resolve()):
                yield process, process.cmdline()


def training_of(controller: Controller, checkout: Checkout) -> psutil.Process:
    """Return Snakemake's training job as soon as it has started to write."""
    partial = checkout.folder / f"{TARGET}.partial"
    wait_until(
        lambda: partial.exists() or controller.process.poll() is not None, "a training job", 180
    )
    (job,) = [job for job, words in processes_in(checkout) if words[1:2] == [PROGRAM]]
    return job


def waits(checkout: Checkout) -> bool:
    """Return whether the training job logs that it waits for another job."""
    try:
        return b"waiting for another job" in (checkout.folder / LOG).read_bytes()
    except FileNotFoundError:  # Snakemake removes an old log
        return False


def assert_same_as(checkout: Checkout, finished: Checkout) -> None:
    """Check that the checkpoints are those of the undisturbed run, without leftovers."""
    assert contents(checkout.folder / TARGET) == contents(finished.folder / TARGET)
    results, incomplete = checkout.folder / "results", checkout.folder / ".snakemake/incomplete"
    for name in ("*.tmp", "*.partial", "*.lock"):
        assert list(results.rglob(name)) == []
    assert not incomplete.exists() or list(incomplete.iterdir()) == []


def end_all(checkout: Checkout) -> None:
    """Kill the processes that a failed test has left running in a checkout."""
    for process, _ in processes_in(checkout):
        with suppress(psutil.NoSuchProcess):
            process.kill()
