"""Exclusive GPUs for a job, on a machine without a scheduler that assigns them.

    python -m nearfirst.common.gpus COUNT PROGRAM ARGUMENTS…

takes COUNT free GPUs, sets CUDA_VISIBLE_DEVICES to them and executes the program in its place. A
GPU is taken by a lock on a file, which the kernel releases however the program ends.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import takewhile
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible() -> list[str]:
    """Return the GPUs that a program would see, as CUDA_VISIBLE_DEVICES names them.

    Without importing torch, which takes seconds. Like CUDA, it stops at a negative number.
    """
    names = os.environ.get(VISIBLE)
    if names is not None:
        stripped = (name.strip() for name in names.split(","))
        return list(takewhile(lambda name: name and not name.startswith("-"), stripped))
    if not shutil.which("nvidia-smi"):
        return []
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            lines = [line for line in done.stdout.splitlines() if line.startswith("GPU ")]
            return [str(number) for number in range(len(lines))]
    return []


def take(count: int) -> list[str] | None:
    """Wait until `count` GPUs are free of other jobs of this user, take and return them.

    They stay taken for the life of this process, including the program that it executes. None means
    that CUDA_VISIBLE_DEVICES stays as it is: there is no GPU, or SLURM has chosen.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    if job and not count:  # the profile may have asked in another way (a typed gres)
        return None
    names = visible()
    if not names or (job and len(names) <= count):
        return None
    # SLURM may number the GPUs of each allocation from 0.
    folder = Path(tempfile.gettempdir()) / f"nearfirst-gpus-{os.getuid()}{f'-{job}' * bool(job)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    count = min(count, len(names))  # the program reports what is missing
    waiting = False
    while True:
        with (folder / "choosing").open("w") as choosing:
            # Otherwise two jobs could take half of the GPUs each, and wait for ever.
            fcntl.flock(choosing, fcntl.LOCK_EX)
            if (taken := _lock(folder, names, count)) is not None:
                return taken
        if not waiting:
            message = f"waiting for {count} of {len(names)} GPUs: other jobs have them"
            print(message, file=sys.stderr)
            waiting = True
        time.sleep(0.5)


def _lock(folder: Path, names: Sequence[str], count: int) -> list[str] | None:
    """Lock the first `count` free GPUs; None, and no lock, if fewer are free."""
    taken: list[str] = []
    with ExitStack() as stack:
        for name in names:
            if len(taken) == count:
                break
            file = os.open(folder / name.replace("/", "-"), os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, file)
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.set_inheritable(file, True)
                taken.append(name)
        if len(taken) < count:
            return None
        stack.pop_all()
    return taken


def main() -> None:
    """Take the GPUs and execute the program."""
    count, *command = sys.argv[1:]
    taken = take(int(count))
    if taken is not None:
        os.environ[VISIBLE] = ",".join(taken)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
