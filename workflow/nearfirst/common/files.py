"""Files and folders that are either complete or absent."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nearfirst.common.errors import InputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` for a file that becomes `path` if the block succeeds.

    Raises InputError if the disk, a quota or a file-size limit is full; nothing is left behind.
    """
    temporary = _temporary(path)
    try:
        with explain_full_disk(path):
            yield temporary
            if temporary.is_dir() and path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
    finally:
        remove(temporary)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces `path` if the block succeeds; raises as `writing`."""
    with writing(path) as temporary:
        temporary.mkdir()
        yield temporary


def _temporary(path: Path) -> Path:
    """Return a path unique to this process and node; remove what dead processes left behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix, suffix = f".{path.name}.{os.uname().nodename}.", ".tmp"
    for leftover in path.parent.iterdir():
        if leftover.name.startswith(prefix) and leftover.name.endswith(suffix):
            owner = leftover.name.removeprefix(prefix).removesuffix(suffix)
            # Process ids are reused: a killed process may have had this one's.
            if owner.isdecimal() and (int(owner) == os.getpid() or not _is_alive(int(owner))):
                remove(leftover)
    return path.with_name(f"{prefix}{os.getpid()}{suffix}")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process
        pass
    return True


def remove(path: Path) -> None:
    """Remove a file or a folder with everything in it, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def partial_folder(output: Path) -> Path:
    """Return the folder of what an unfinished job keeps: beside its output.

    There it survives when Snakemake removes the outputs of a failed job.
    """
    return output.with_name(f"{output.name}.partial")


def sync(folder: Path) -> list[Path]:
    """Flush a folder, its files and their names to disk; return the files, sorted."""
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
    """Turn the many errors that a full disk causes into one InputError about `path`."""
    try:
        yield
    except Exception as error:
        # Native libraries put the system's message into their own exceptions.
        messages = {os.strerror(number) for number in _FULL}
        text = next((message for message in messages if message in str(error)), None)
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
