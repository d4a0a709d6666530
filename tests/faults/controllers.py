"""Snakemake as a process that a test can kill, and its jobs."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from checkout import Checkout
from cluster import clean_environment
from files import contents
from programs import wait_until

TARGET = "results/checkpoints/flan/random/seed-0/0-end"
PROGRAM = "workflow/scripts/train.py"
LOG = "results/logs/train/flan_random_seed-0_0-end.log"


def start(checkout: Checkout, *arguments: str, python: str = "") -> subprocess.Popen[bytes]:
    """Start Snakemake in the folder of a checkout, with the Python of a folder for all jobs."""
    with (checkout.folder.parent / "printed").open("w") as file:
        return subprocess.Popen(
            ["python", "-m", "snakemake", *arguments],
            cwd=checkout.folder,
            env=clean_environment(python),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def kill(controller: subprocess.Popen[bytes]) -> None:
    """Kill Snakemake, but not its jobs."""
    controller.kill()
    assert controller.wait() == -signal.SIGKILL


def end(controller: subprocess.Popen[bytes], checkout: Checkout, code: int = 0) -> str:
    """Wait until it ends with this exit code; return its output."""
    ended = controller.wait(timeout=300)
    printed = (checkout.folder.parent / "printed").read_text()
    assert ended == code, printed
    return printed


def processes_in(checkout: Checkout) -> Iterator[tuple[psutil.Process, list[str]]]:
    """Yield the processes in a checkout, whatever started them, and their command lines."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if Path(process.cwd()).is_relative_to(checkout.folder.resolve()):
                yield process, process.cmdline()


def training_of(controller: subprocess.Popen[bytes], checkout: Checkout) -> psutil.Process:
    """Return Snakemake's training job as soon as it has started to write."""
    partial = checkout.folder / f"{TARGET}.partial"
    wait_until(lambda: partial.exists() or controller.poll() is not None, "a training job", 180)
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
