"""A lock file: one job at a time on the same outputs, also across nodes.

Batch jobs outlive a killed Snakemake, and the next Snakemake submits the same jobs again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; wait while another process holds it.

    The kernel frees the lock when its holder dies, for whatever reason. Across nodes this needs a
    file system with shared locks: NFS has them unless mounted with `nolock` or `local_lock`, and
    frees the locks of a lost node when its lease ends (NFSv4: 90 s); Lustre needs `-o flock`.
    Without locks, a warning is logged and the work goes on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A soft lock would outlive its holder.
    lock = FileLock(path, fallback_to_soft=False, poll_interval=0.5)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        logging.info("%s: waiting for another job on the same outputs", path)
        lock.acquire()
    except OSError as error:
        logging.warning("%s: no locks here (%s); run no job twice", path, error.strerror)
    try:
        yield
    finally:
        # Remove it while still held: a waiting process then takes a new file.
        path.unlink(missing_ok=True)
        lock.release()
