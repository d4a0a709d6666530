"""SIGTERM, as SLURM sends it before it takes a node away: the work done so far is kept."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

from faults import Job, training
from kills import Undisturbed, wait_until

GRACE = 30  # seconds from SIGTERM to SIGKILL: SLURM's own default, KillWait


def terminate(process: subprocess.Popen[bytes]) -> int:
    """Send SIGTERM to all processes of a job, as scancel does; return the exit code."""
    os.killpg(process.pid, signal.SIGTERM)
    return process.wait(timeout=GRACE)


def text_of(job: Job) -> str:
    """Return what a job has logged since it was started."""
    return job.log.read_text() if job.log.exists() else ""


def steps_logged(job: Job) -> int:
    """Return how many of its progress lines a job has logged: one every 8 steps."""
    return text_of(job).count(" of 64: training loss")


def wait_for_steps(job: Job, process: subprocess.Popen[bytes], lines: int) -> None:
    """Wait until a job has logged so many of its progress lines."""
    wait_until(lambda: steps_logged(job) >= lines or process.poll() is not None, "training")


def test_training_told_to_stop_goes_on_from_there(
    results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    # But for the signals it would save no state before its end.
    job = training(results, tmp_path / "job", hardware={"state_every": 1000})
    moment = random.Random(4)
    reached = 0
    for lines in (1, 2, 1):
        process = job.start()
        wait_for_steps(job, process, lines)
        time.sleep(moment.uniform(0, 0.03))
        assert terminate(process) == 143, text_of(job)
        assert begun_at(job) == reached
        told = re.findall(
            r"^error: stopped by SIGTERM after step (\d+)", text_of(job), re.MULTILINE
        )
        assert len(told) == 1, text_of(job)
        assert reached + 8 * lines - 7 <= int(told[0]) < 64
        reached = int(told[0])
        assert job.debris() == {"checkpoints.partial"}
        job.log.unlink()
    # Before the training begins there is nothing to save, and nothing is lost either.
    process = job.start()
    wait_until(lambda: job.log.exists() or process.poll() is not None, "the start")
    assert terminate(process) in (143, -signal.SIGTERM)
    job.finish()
    assert begun_at(job) == reached
    found, expected = job.result(), dict(undisturbed.result)
    for result in (found, expected):  # it says how often states are saved, which differs here
        del result["state/trainer_state.json"]
    assert found == expected


def begun_at(job: Job) -> int:
    """Return the step of the state that a job says it goes on from; 0 if that is no state."""
    text = text_of(job)
    found = re.search(r"steps 0 to 64 of 64, from (?:\S*/checkpoint-(\d+)|the base model)\n", text)
    assert found, text
    return int(found[1] or 0)
