"""One job at a time on what a job works on, also over nodes.

When Snakemake was killed its batch jobs run on, and a new one submits the same jobs again.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; wait as long as another process holds it.

    The kernel gives the lock back when its holder dies, however it dies. Over nodes that needs a
    file system that shares locks: NFS does unless mounted with `nolock` or `local_lock`, and it
    frees those of a lost node when their lease ends (NFSv4: 90 s); Lustre needs `-o flock`.
    Where there are no locks at all, a warning is logged and the work goes on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _take(path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{_me()}\n".encode())
        yield
    finally:
        # While it is still held: who waits sees that the file is another one, and begins anew.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text().strip() if path.exists() else ""
            logging.info(
                "%s: waiting for another job that does the same: %s", path, holder or "just begun"
            )
            # No handler of SIGTERM is set yet: it ends this wait, and the job, at once.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            logging.warning("%s: no locks here (%s); run no job twice", path, error.strerror)
            return descriptor
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)  # the one before has removed it


def _me() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"host {os.uname().nodename}, process {os.getpid()}" + (f", SLURM job {job}" * bool(job))
