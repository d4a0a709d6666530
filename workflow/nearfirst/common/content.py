"""The state of what a user gives: it changes with the content, whatever the time stamps say."""

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
"""Nanoseconds within which a file may change again and keep its time stamps."""

LONG = 2**30
"""Bytes whose reading takes a while."""


def state(
    path: Path,
    files: Iterable[Path],
    kept: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> str:
    """Return a SHA-256 of the name, the size and the SHA-256 of each file that is read of `path`.

    Parameters
    ----------
    path
        The user's file or folder.
    files
        What is read of it. One that is missing counts as such.
    kept
        Folder in which sums are kept beside sizes, times and inodes, so that an unchanged file is
        not read twice. Nothing is kept where it cannot be written.
    tell
        Called before reading takes a while.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    record = kept / f"{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.json"
    known = _read(record)
    by_name = {os.path.relpath(file, path): file for file in files}
    facts = {name: its for name, file in sorted(by_name.items()) if (its := _facts(file))}
    todo = [name for name, its in facts.items() if known.get(name, [])[:-1] != its]
    if (size := sum(facts[name][0] for name in todo)) > LONG:
        tell(f"{path}: reading {size / 1e9:.0f} GB, once, to know when they change")
    try:
        # In threads: hashing releases the interpreter lock.
        with ThreadPoolExecutor(4) as pool:
            new = dict(zip(todo, pool.map(lambda name: sha256(by_name[name]), todo), strict=True))
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from None
    sums = {name: new.get(name) or known[name][-1] for name in facts}
    now = time.time_ns()
    keep = {name: [*its, sums[name]] for name, its in facts.items() if now - max(its[1:3]) > TICK}
    if keep != known:
        with suppress(OSError, InputError), writing(record) as temporary:
            temporary.write_text(json.dumps(keep))
    content = [(name, its[0], sums[name]) for name, its in facts.items()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _facts(file: Path) -> list[int]:
    """Return what changes with a file: size, times of content and of anything, inode; [] if none.

    A program can set the first time, and no program the second.
    """
    try:
        its = file.stat()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    return [its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_ino]


def _read(record: Path) -> dict[str, list[Any]]:
    with suppress(OSError, ValueError):
        found = json.loads(record.read_text())
        if isinstance(found, dict):
            return found
    return {}
