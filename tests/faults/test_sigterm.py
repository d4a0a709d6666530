"""SIGTERM, which SLURM sends before it takes a node away: the work done so far is kept."""

import os
import random
import re
import signal
import time
from pathlib import Path

from faults import Job, training
from kills import Undisturbed, wait_until
from programs import Running

GRACE = 30  # seconds from SIGTERM to SIGKILL: SLURM's own default, KillWait


def terminate(process: Running) -> int:
    """Send SIGTERM to all processes of a job, like scancel; return the exit code."""
    os.killpg(process.pid, signal.SIGTERM)
    return process.wait(timeout=GRACE)


def resumed_from(text: str) -> int:
    """Return the step from which a run resumes according to its log; 0 for the base model."""
    match = re.search(r"steps 0 to 64 of 64, from (?:\S*/checkpoint-(\d+)|the base model)\n", text)
    assert match, text
    return int(match[1] or 0)


def test_a_stopped_training_resumes_to_the_same_bytes(
    results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    # Without signals it would save no state before its end.
    job: Job = training(results, tmp_path / "job", hardware={"state_every": 1000})
    moment = random.Random(4)
    reached = 0
    for lines in (1, 2, 1):  # lines of progress, each of 8 steps
        process = job.start()
        wait_until(
            lambda process=process, lines=lines: (
                job.log_text().count(" of 64: training loss") >= lines or process.poll() is not None
            ),
            "training",
        )
        time.sleep(moment.uniform(0, 0.03))
        assert terminate(process) == 143, job.log_text()
        text = job.log_text()
        assert resumed_from(text) == reached
        stopped = re.findall(r"^error: stopped by SIGTERM after step (\d+)", text, re.MULTILINE)
        assert len(stopped) == 1, text
        assert reached + 8 * lines - 7 <= int(stopped[0]) < 64
        reached = int(stopped[0])
        assert job.debris() == {"checkpoints.partial"}
        job.log.unlink()
    # Before training begins there is nothing to save.
    process = job.start()
    wait_until(lambda: job.log.exists() or process.poll() is not None, "the start")
    assert terminate(process) in (143, -signal.SIGTERM)
    assert resumed_from(job.finish()) == reached
    result, expected = job.result(), dict(undisturbed.result)
    for files in (result, expected):  # it records how often states are saved, which differs here
        del files["state/trainer_state.json"]
    assert result == expected
