"""GPUs of a job's own, on a machine where no scheduler hands them out.

    python -m nearfirst.common.gpus COUNT PROGRAM ARGUMENTS…

takes COUNT free GPUs, shows the program these alone (CUDA_VISIBLE_DEVICES) and becomes it. A GPU is
taken by the lock on a file, which the kernel frees when the program ends, however it ends.
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
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible() -> list[str]:
    """Return the GPUs that a program would see, as CUDA_VISIBLE_DEVICES names them.

    No import of torch, which takes seconds. As CUDA does, it stops at a negative number.
    """
    names = os.environ.get(VISIBLE)
    if names is not None:
        found = [name.strip() for name in names.split(",")]
        ends = [at for at, name in enumerate(found) if not name or name.startswith("-")]
        return found[: min(ends, default=len(found))]
    if not shutil.which("nvidia-smi"):
        return []
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            lines = [line for line in done.stdout.splitlines() if line.startswith("GPU ")]
            return [str(number) for number in range(len(lines))]
    return []


def take(count: int) -> list[str] | None:
    """Return `count` GPUs that no other job of this user has; wait until so many are free.

    They stay taken while this process, or the program that it becomes, lives. None: leave what is
    visible as it is, since there are not more GPUs than the job needs to choose from, or SLURM has
    chosen.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    if job and not count:  # the profile may have asked in another way (a typed gres)
        return None
    found = visible()
    if not found or (job and len(found) <= count):
        return None
    # In an allocation SLURM's numbers may be its own: 0 of one job is not 0 of another.
    folder = Path(tempfile.gettempdir()) / f"nearfirst-gpus-{os.getuid()}{f'-{job}' * bool(job)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    count = min(count, len(found))  # the program says what it lacks
    waiting = False
    while True:
        with (folder / "choosing").open("w") as choosing:
            fcntl.flock(choosing, fcntl.LOCK_EX)  # else two jobs could take half each, and wait
            if (taken := _lock(folder, found, count)) is not None:
                return taken
        if not waiting:
            print(
                f"waiting for {count} of {len(found)} GPUs: other jobs have them", file=sys.stderr
            )
            waiting = True
        time.sleep(0.5)


def _lock(folder: Path, names: Sequence[str], count: int) -> list[str] | None:
    """Lock the first `count` free ones; if there are not so many, none."""
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
    """Take the GPUs and become the program."""
    count, *command = sys.argv[1:]
    taken = take(int(count))
    if taken is not None:
        os.environ[VISIBLE] = ",".join(taken)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
