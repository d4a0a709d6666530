"""Kill jobs at seeded moments."""

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
    result = {}
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # renamed meanwhile
                result[f"{path}/{name}"] = Path(path, name).stat().st_size
    return result


def changes(process: Process, folder: Path) -> Iterator[bool]:
    """Yield whenever a file changes, until the job ends; True if a new file other than the log."""
    last = sizes(folder)
    while process.poll() is None:
        now = sizes(folder)
        if now != last:
            yield bool(now.keys() - last.keys() - {f"{folder}/log"})
        last = now
        time.sleep(0.001)


def wait_until(condition: Callable[[], object], what: str, limit: float = 120) -> None:
    """Wait until a condition holds; fail after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s"
        time.sleep(0.005)


@dataclass(frozen=True)
class Undisturbed:
    """An undisturbed run of a job."""

    folder: Path
    result: dict[str, bytes]
    seconds: float
    changes: int
    """Observed changes of its files."""
    new_files: int
    """Observed new files."""

    @classmethod
    def of(cls, job: Job) -> Undisturbed:
        """Run and observe a job; its outputs stay in its folder."""
        since = time.monotonic()
        process = job.start_cold()
        begins = list(changes(process, job.folder))
        assert process.wait() == 0, job.log_text()
        seconds = time.monotonic() - since
        return cls(job.folder, job.result(), seconds, len(begins), sum(begins))


def kill_again_and_again(
    job: Job, undisturbed: Undisturbed, seed: int, times: int, parts: int = 1
) -> None:
    """Start and kill a job at seeded moments, again and again; then compare its outputs.

    The moments are, in turn: at a random time (during imports, loading, computing or saving), at a
    change of its files including the log (loading, computing, saving), and at a new file. For the
    last two the imports, which take most of the time of such a small job, are done in advance. A
    job that resumes is killed within the first of `parts` equal parts of its changes.
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
            count = undisturbed.changes if kind == 1 else undisturbed.new_files
            number = moment.randint(1, max(1, count // parts))
            next(islice(seen, number - 1, None), None)
        if kill(process):
            kills += 1
        else:  # it ended before the kill, so its outputs must be complete
            seconds = time.monotonic() - since if kind == 0 else seconds
            compare()
        if kills == times:
            break
    assert kills == times
    job.finish()
    compare()
