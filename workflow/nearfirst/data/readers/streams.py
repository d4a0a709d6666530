"""Read a file as UTF-8 text, whatever its compression and encoding."""

import codecs
import functools
import gzip
import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any

import pyarrow as pa

from nearfirst.common.errors import InputError, one_line

CHUNK = 2**20
"""Bytes read at once."""

_DAMAGED = (
    *(OSError, EOFError, zlib.error, pa.ArrowException, zipfile.BadZipFile),
    # A zip with a password or an unsupported compression.
    *(RuntimeError, NotImplementedError),
)
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK": "zip"}


class Utf8:
    """Reads a stream as UTF-8; converts UTF-16 and UTF-32, recognized by the first bytes."""

    def __init__(self, stream: IO[bytes], kind: str) -> None:
        self._stream, self._kind = stream, kind
        self._encoding = ""
        self._decode: Callable[[bytes, bool], str] | None = None

    def read(self, size: int, where: str) -> bytes:
        """Return about `size` bytes; an empty result marks the end.

        Raises InputError, which names the location `where`, if the file is damaged or cut off.
        """
        while True:
            try:
                data = self._stream.read(size)
            except _DAMAGED as error:
                message = one_line(error)[:120]
                is_cut_off = isinstance(error, EOFError) or "Truncated" in message
                raise InputError(
                    f"{where}: {'cut off' if is_cut_off else 'damaged'} {self._kind} ({message}); "
                    "copy or download it again"
                ) from None
            if not self._encoding:
                self._encoding = json.detect_encoding(data[:4])
                if not self._encoding.startswith("utf-8"):
                    self._decode = codecs.getincrementaldecoder(self._encoding)().decode
            if self._decode is None:
                return data
            try:
                text = self._decode(data, not data)
                if text or not data:
                    return text.encode()
            except UnicodeError as error:
                name = self._encoding.upper()
                raise InputError(
                    f"{where}: not {name} ({one_line(error)}); save the file as UTF-8"
                ) from None


@contextmanager
def opened(path: Path) -> Iterator[Utf8]:
    """Open a JSON file, plain or compressed with gzip, zstd or zip, as its first bytes say.

    A zip must hold exactly one JSON file. Nothing is unpacked, so the names in it are harmless.
    Raises InputError if the file is missing or empty, or is not such an archive.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if not head:
            raise InputError(f"{path}: the file is empty")
        kind = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "file")
        stream: Any = file
        if kind == "gzip":
            stream = gzip.GzipFile(fileobj=file)
        elif kind == "zstd":
            stream = pa.CompressedInputStream(file, "zstd")
        elif kind == "zip":
            stream = _open_member(path, file)
        with stream:
            yield Utf8(stream, kind)


def is_hidden(path: PurePath) -> bool:
    """Return whether a file is hidden or a system file, such as macOS's `._x`."""
    return path.name.startswith(".") or "__MACOSX" in path.parts


@functools.cache
def log_once(message: str, level: int = logging.WARNING) -> None:
    """Log a message, by default a warning, once, however often the files are read."""
    logging.log(level, message)


def _open_member(path: Path, file: IO[bytes]) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(file)
        names = [
            name
            for name in archive.namelist()
            if name.lower().endswith((".json", ".jsonl", ".ndjson"))
            and not is_hidden(PurePath(name))
        ]
        if len(names) == 1:
            return archive.open(names[0])
    except _DAMAGED as error:
        raise InputError(f"{path}: not a whole zip ({one_line(error)[:120]})") from None
    names = names or archive.namelist()
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    raise InputError(f"{path}: expected one .json file inside, found {listed or 'none'}")
