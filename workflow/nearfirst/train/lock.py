"""A lock file: one job at a time on the same outputs, also across nodes.

Batch jobs outlive a killed Snakemake, and the next one submits the same jobs again.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; wait while another process holds it.

    The kernel frees the lock when its holder dies, however it dies. Across nodes that needs a file
    system that shares locks: NFS does unless mounted with `nolock` or `local_lock`, and frees those
    of a lost node when their lease ends (NFSv4: 90 s); Lustre needs `-o flock`. Where there are no
    locks, a warning is logged and the work goes on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _acquire(path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{_owner()}\n".encode())
        yield
    finally:
        # Removed while still held: a waiting process sees that the file has changed, and retries.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = path.read_text().strip() if path.exists() else ""
            logging.info(
                "%s: waiting for another job on the same outputs: %s", path, owner or "just started"
            )
            # No handler of SIGTERM is set yet: it ends this wait, and the job, at once.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            logging.warning("%s: no locks here (%s); run no job twice", path, error.strerror)
            return descriptor
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)  # the previous owner has removed it


def _owner() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"host {os.uname().nodename}, process {os.getpid()}" + (f", SLURM job {job}" * bool(job))
