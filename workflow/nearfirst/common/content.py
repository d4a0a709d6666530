"""Fingerprints of the user's files: they change with the content, whatever the time stamps say."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256, writing

TICK = 2 * 10**9
"""Nanoseconds within which a file may change again without changing its time stamps."""

LONG = 2**30
"""Bytes from which on reading is announced, since it takes a while."""


def state(
    path: Path,
    files: Iterable[Path],
    kept: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> str:
    """Return a SHA-256 of the name, the size and the SHA-256 of each file read from `path`.

    Parameters
    ----------
    path
        The user's file or folder.
    files
        The files that are read from it. A missing file changes the result too.
    kept
        Folder that caches sums with sizes, times and inodes, so that an unchanged file is not read
        twice. If it cannot be written, nothing is cached.
    tell
        Called with a message before a long read.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    record = kept / f"{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.json"
    cached = _read_cache(record)
    by_name = {os.path.relpath(file, path): file for file in files}
    stats = {name: stat for name, file in sorted(by_name.items()) if (stat := _stat(file))}
    todo = [name for name, stat in stats.items() if cached.get(name, [])[:-1] != stat]
    if (size := sum(stats[name][0] for name in todo)) > LONG:
        tell(f"{path}: reading {size / 1e9:.0f} GB once, to notice when the files change")
    try:
        # In threads: hashing releases the interpreter lock.
        with ThreadPoolExecutor(4) as pool:
            new = dict(zip(todo, pool.map(lambda name: sha256(by_name[name]), todo), strict=True))
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from None
    sums = {name: new.get(name) or cached[name][-1] for name in stats}
    now = time.time_ns()
    # A file that has just changed is not cached: it could change again within a tick.
    keep = {name: [*st, sums[name]] for name, st in stats.items() if now - max(st[1:3]) > TICK}
    if keep != cached:
        with suppress(OSError, InputError), writing(record) as temporary:
            temporary.write_text(json.dumps(keep))
    content = [(name, stat[0], sums[name]) for name, stat in stats.items()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _stat(file: Path) -> list[int]:
    """Return size, mtime, ctime and inode of a file; [] if it is missing.

    Programs can set mtime, but not ctime.
    """
    try:
        stat = file.stat()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _read_cache(record: Path) -> dict[str, list[Any]]:
    with suppress(OSError, ValueError):
        cached = json.loads(record.read_text())
        if isinstance(cached, dict):
            return cached
    return {}
