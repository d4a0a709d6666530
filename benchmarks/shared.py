"""Shared by several benchmarks: timing functions, and running programs with their memory."""

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

REPOSITORY = Path(__file__).parents[1]
SCRIPTS = REPOSITORY / "workflow/scripts"
CLOCKS = ("wall clock", "CPU")


def parser(description: str | None, repeats: int, help: str) -> argparse.ArgumentParser:
    """Return a parser with the flag `--repeats`."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--repeats", type=int, default=repeats, help=help)
    return result


def load_before() -> str:
    return f"load {os.getloadavg()[0]:.1f} before"


def timed(work: Callable[[], object]) -> np.ndarray:
    """Return the seconds of work by each of CLOCKS; CPU time includes programs it waits for."""
    since, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return np.array([time.perf_counter() - since, sum(os.times()[:4]) - used])


def fastest(ways: Sequence[Callable[[], object]], repeats: int) -> list[np.ndarray]:
    """Return the shortest times of each way to do the same work, after a warm-up run.

    The ways take turns, so that other load on the machine affects all of them.
    """
    turns = [[timed(work) for work in ways] for _ in range(repeats + 1)]
    return [np.min(times, axis=0) for times in zip(*turns[1:], strict=True)]


class Usage(NamedTuple):
    """Seconds of a program by each of CLOCKS, and its peak memory in GB."""

    wall: float
    cpu: float
    memory: float


def run(program: Path, *flags: object) -> Usage:
    """Run a program of this project; exit with its output if it fails."""
    since = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(program), *map(str, flags)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(errors)
    seconds = time.perf_counter() - since
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9)


def make_once(paths: Sequence[Path], make: Callable[..., None], *arguments: Any) -> None:
    """Call `make` in a separate process if a path is missing.

    The peak memory measured for a program includes that of the process that starts it.
    """
    if not all(path.exists() for path in paths):
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        maker = multiprocessing.get_context("spawn").Process(target=make, args=arguments)
        maker.start()
        maker.join()
