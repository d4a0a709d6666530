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

from faults import Job
from programs import Running

Process = subprocess.Popen[bytes] | Running


def kill(process: Process) -> bool:
    """Kill a job with all its processes; return whether it was alive."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of all files below a folder that a job is writing."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # renamed meanwhile
                found[f"{place}/{name}"] = Path(place, name).stat().st_size
    return found


def changes(process: Process, folder: Path) -> Iterator[bool]:
    """Yield whenever a file changes, until the job ends; True if one begins that is not the log."""
    last = sizes(folder)
    while process.poll() is None:
        now = sizes(folder)
        if now != last:
            yield bool(now.keys() - last.keys() - {f"{folder}/log"})
        last = now
        time.sleep(0.001)


def wait_until(condition: Callable[[], object], what: str, limit: float = 120) -> None:
    """Wait until a condition holds; fail if it does not within `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s"
        time.sleep(0.005)


@dataclass(frozen=True)
class Undisturbed:
    """What a job does when nothing disturbs it."""

    folder: Path
    result: dict[str, bytes]
    seconds: float
    changes: int
    """How often its files are seen to change."""
    begun: int
    """How many files are seen to begin."""

    @classmethod
    def of(cls, job: Job) -> Undisturbed:
        """Run a job, look on, and leave its outputs where they are."""
        since = time.monotonic()
        process = job.start_cold()
        begins = list(changes(process, job.folder))
        assert process.wait() == 0, job.log_text()
        seconds = time.monotonic() - since
        return cls(job.folder, job.result(), seconds, len(begins), sum(begins))


def kill_again_and_again(
    job: Job, undisturbed: Undisturbed, seed: int, times: int, parts: int = 1
) -> None:
    """Kill a job at seeded moments, each time after a new start; then compare its outputs.

    The moments are in turn by the clock (the whole life: imports, loading, computing, saving), by
    changes of its files, its log included (loading, computing, saving), and when a file begins. For
    the last two the imports, which are most of the life of so small a job, were done before.
    `parts` are into how many its life is cut: above 1 for a job that resumes.
    """
    moment, seconds = random.Random(seed), undisturbed.seconds
    kills = 0

    def compare() -> None:
        result, expected = job.result(), undisturbed.result
        differing = {
            name
            for name in result.keys() | expected.keys()
            if result.get(name) != expected.get(name)
        }
        assert not differing, f"these differ: {sorted(differing)}\n{job.log_text()}"
        job.clear()

    for attempt in range(4 * times):
        since, kind = time.monotonic(), attempt % 3
        process: Process = job.start_cold() if kind == 0 else job.start()
        if kind == 0:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=moment.uniform(0, seconds))
        else:
            seen = (begins for begins in changes(process, job.folder) if begins or kind == 1)
            count = undisturbed.changes if kind == 1 else undisturbed.begun
            number = moment.randint(1, max(1, count // parts))
            next(islice(seen, number - 1, None), None)
        if kill(process):
            kills += 1
        else:  # it was faster than meant: this life is over, and must be as good as any
            seconds = time.monotonic() - since if kind == 0 else seconds
            compare()
        if kills == times:
            break
    assert kills == times
    job.finish()
    compare()
