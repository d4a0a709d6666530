"""A lock file: one job at a time on the same outputs, also across nodes.

Batch jobs outlive a killed Snakemake, and the next Snakemake submits the same jobs again.
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

    The kernel frees the lock when its holder dies, for whatever reason. Across nodes this needs a
    file system with shared locks: NFS has them unless mounted with `nolock` or `local_lock`, and
    frees the locks of a lost node when its lease ends (NFSv4: 90 s); Lustre needs `-o flock`.
    Without locks, a warning is logged and the work goes on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _acquire(path)
    try:
        os.truncate(descriptor, 0)
        job = os.environ.get("SLURM_JOB_ID")
        owner = f"host {os.uname().nodename}, process {os.getpid()}"
        os.write(descriptor, f"{owner}{f', SLURM job {job}' if job else ''}\n".encode())
        yield
    finally:
        # Remove it while still held: a waiting process notices that the file changed, and retries.
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
            # No SIGTERM handler is set yet: a SIGTERM ends this wait, and the job, at once.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            logging.warning("%s: no locks here (%s); run no job twice", path, error.strerror)
            return descriptor
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)  # the previous owner has removed the file
