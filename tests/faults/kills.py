"""Kill jobs at seeded moments."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from faults import Job
from programs import Running


def sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of all files below a folder that a job is writing."""
    result = {}
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # renamed meanwhile
                result[f"{path}/{name}"] = Path(path, name).stat().st_size
    return result


def changes(process: Running, folder: Path) -> Iterator[None]:
    """Yield whenever a file of a job changes, until it ends."""
    last = sizes(folder)
    while process.poll() is None:
        now = sizes(folder)
        if now != last:
            yield
        last = now
        time.sleep(0.001)


def kill_again_and_again(job: Job, expected: dict[str, bytes], times: int, within: int) -> None:
    """Start and kill a job at seeded moments, again and again; then compare its outputs.

    A moment is at or shortly after one of the next `within` changes of its files, the log included:
    while it loads, computes or saves.
    """
    moment, kills = random.Random(job.program), 0

    def compare() -> None:
        result = job.result()
        names = result.keys() | expected.keys()
        differing = sorted(name for name in names if result.get(name) != expected.get(name))
        assert not differing, f"these differ: {differing}\n{job.log.read_text()}"
        shutil.rmtree(job.folder)
        job.folder.mkdir()

    for _ in range(4 * times):
        process = job.start()
        next(islice(changes(process, job.folder), moment.randrange(within), None), None)
        time.sleep(moment.choice([0, moment.uniform(0, 0.05)]))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            kills += 1
        else:  # it ended before the kill, so its outputs must be complete
            compare()
        if kills == times:
            break
    assert kills == times
    job.finish()
    compare()
