"""Kills of jobs at seeded moments of their lives."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from faults import Job, Process, Warm


def kill(process: Process) -> bool:
    """Kill a job with all its processes; tell whether it was alive."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of all files below a folder that a job is writing."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found[f"{place}/{name}"] = Path(place, name).stat().st_size
            except FileNotFoundError:  # renamed meanwhile
                continue
    return found


def names(folder: Path) -> set[str]:
    """Return the paths of all files below a folder but the log."""
    return {f"{place}/{name}" for place, _, names in os.walk(folder) for name in names} - {
        f"{folder}/log"
    }


def changes(process: Process, folder: Path) -> Iterator[None]:
    """Yield whenever a file below the folder comes, goes or grows, until the job ends."""
    last = sizes(folder)
    while process.poll() is None:
        now = sizes(folder)
        if now != last:
            last = now
            yield
        time.sleep(0.003)


def new_files(process: Process, folder: Path) -> Iterator[None]:
    """Yield whenever a file comes up that is not the log, until the job ends: a write begins."""
    last = names(folder)
    while process.poll() is None:
        now = names(folder)
        if now - last:
            yield
        last = now
        time.sleep(0.0005)


def wait_until(condition: Callable[[], object], what: str, limit: float = 120) -> None:
    """Look again and again until a condition holds; fail if it does not within `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s"
        time.sleep(0.005)


@dataclass(frozen=True)
class Undisturbed:
    """What a job does when it is left alone."""

    folder: Path
    result: dict[str, bytes]
    seconds: float
    changes: int
    """How often its files change, as far as one can see."""
    begun: int
    """How many files it begins."""

    @classmethod
    def of(cls, job: Job) -> Undisturbed:
        """Run a job, look on, and leave its outputs where they are."""
        since, made, begun = time.monotonic(), 0, 0
        process = job.start()
        last = names(job.folder)
        for _ in changes(process, job.folder):
            now = names(job.folder)
            made, begun, last = made + 1, begun + bool(now - last), now
        assert process.wait() == 0, job.log.read_text()
        return cls(job.folder, job.result(), time.monotonic() - since, made, begun)


@dataclass
class Chain:
    """One job, killed again and again at seeded moments of its life, until it may end.

    The moments are in turn by the clock (the whole life: imports, loading, computing, saving), by
    what the job writes, its log included (loading, computing, saving), and when a file begins. For
    the last two the imports, which are most of the life of so small a job, were done before.
    """

    job: Job
    warm: Warm
    alone: Undisturbed
    seed: int
    parts: int = 1
    """Into how many parts the life is cut: above 1 for a job that goes on from where it was."""
    kills: int = 0
    """How many hit a living job."""

    def run(self, times: int) -> None:
        """Kill the job `times` times, each time after a new start; then compare its outputs."""
        moment, seconds = random.Random(self.seed), self.alone.seconds
        for attempt in range(4 * times):
            since = time.monotonic()
            by_clock = attempt % 3 == 0
            process: Process = self.job.start() if by_clock else self.warm.start(self.job)
            if by_clock:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=moment.uniform(0, seconds))
            elif attempt % 3 == 1:
                number = moment.randint(1, max(1, self.alone.changes // self.parts))
                next(islice(changes(process, self.job.folder), number - 1, None), None)
            else:
                number = moment.randint(1, max(1, self.alone.begun // self.parts))
                next(islice(new_files(process, self.job.folder), number - 1, None), None)
            if kill(process):
                self.kills += 1
            else:  # it was faster than meant: this life is over, and must be as good as any
                seconds = time.monotonic() - since if by_clock else seconds
                self.compare()
            if self.kills == times:
                break
        self.warm.finish(self.job)
        self.compare()

    def compare(self) -> None:
        """Hold the outputs against those of the run that nothing disturbed, and remove them."""
        assert self.job.result() == self.alone.result
        self.job.clear()
