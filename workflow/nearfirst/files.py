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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno in _FULL:
            raise InputError(
                f"{path}: {os.strerror(error.errno)} while writing it; nothing was left behind, "
                "free some space and run again"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` that becomes `path` if the block ends well.

    An older folder at `path` is replaced. Raises what `writing` raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # Process numbers come again: one that was killed may have left a folder of this name.
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        if error.errno in _FULL:
            raise InputError(
                f"{path}: {os.strerror(error.errno)} while writing it; nothing was left behind, "
                "free some space and run again"
            ) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
