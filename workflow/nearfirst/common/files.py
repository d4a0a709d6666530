"""Outputs that are either whole or not there."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nearfirst.common.errors import InputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` that becomes `path` if the block ends well.

    Raises InputError if the disk, a quota or a file-size limit is full; nothing is left behind.
    """
    temporary = _beside(path)
    try:
        with explain_full_disk(path):
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that becomes `path` if the block ends well.

    An older folder at `path` is replaced. Raises what `writing` raises.
    """
    temporary = _beside(path)
    # Process numbers come again: one that was killed may have left a folder of this name.
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with explain_full_disk(path):
            temporary.mkdir()
            yield temporary
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: Path) -> Path:
    """Return a temporary name that no other process has, on this node or another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{path.name}.{os.uname().nodename}."
    for debris in path.parent.iterdir():
        if debris.name.startswith(start) and debris.name.endswith(".tmp"):
            owner = debris.name[len(start) : -len(".tmp")]
            if owner.isdecimal() and not _alive(int(owner)):
                remove(debris)
    return path.with_name(f"{start}{os.getpid()}.tmp")


def _alive(process: int) -> bool:
    """Return whether a process of this node is there; another user's is."""
    with suppress(PermissionError):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(folder: Path) -> list[Path]:
    """Have all files below a folder, and their names, on the disk; returns the files, sorted."""
    paths = sorted(folder.rglob("*"))
    for path in (folder.parent, folder, *paths):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return [path for path in paths if path.is_file()]


@contextmanager
def explain_full_disk(path: Path, kept: str = "nothing was left behind") -> Iterator[None]:
    """Turn the many ways in which a full disk shows into one InputError about `path`."""
    try:
        yield
    except Exception as error:
        # Libraries written in other languages put the system's message into errors of their own.
        texts = {os.strerror(number) for number in _FULL}
        text = next((text for text in texts if text in str(error)), None)
        if isinstance(error, OSError) and error.errno in _FULL:
            text = os.strerror(error.errno)
        if any(part in str(error) for part in ("PytorchStreamWriter", "inline_container.cc")):
            text = "torch could not write, the disk is probably full"
        if text is None:
            raise
        raise InputError(
            f"{path}: {text} while writing it; {kept}, free some space and run again"
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
