"""Outputs that are either whole or not there."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nearfirst.errors import InputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` that becomes `path` if the block ends well.

    Raises
    ------
    InputError
        If the disk, a quota or a file-size limit is full; nothing is left behind.
    """
    temporary = _beside(path)
    try:
        with told_if_full(path):
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
        with told_if_full(path):
            temporary.mkdir()
            yield temporary
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextmanager
def told_if_full(path: Path, kept: str = "nothing was left behind") -> Iterator[None]:
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
