"""A file's text as a stream, whatever it is compressed with and encoded in."""

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
from typing import IO, cast

import pyarrow as pa

from nearfirst.common.errors import InputError, one_line

CHUNK = 2**20
"""Bytes read at once."""

_DAMAGED = (
    *(OSError, EOFError, zlib.error, pa.ArrowException, zipfile.BadZipFile),
    # A zip with a password, or compressed in another way.
    *(RuntimeError, NotImplementedError),
)
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK": "zip"}


class Utf8:
    """Reads a stream as UTF-8; what is UTF-16 or UTF-32 by its first bytes becomes that."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream, self._name = stream, name
        self._decode: Callable[[bytes, bool], str] | None = None
        self._is_first = True

    def read(self, size: int, where: str) -> bytes:
        """Return the next bytes, at most about `size`; nothing at the end.

        Raises InputError, with the place `where`, if the file is damaged or cut off.
        """
        while True:
            try:
                data = self._stream.read(size)
            except _DAMAGED as error:
                message = one_line(error)[:120]
                is_cut = isinstance(error, EOFError) or "Truncated" in message
                what = "cut off" if is_cut else "damaged"
                raise InputError(
                    f"{where}: {what} {self._name} ({message}); copy or download it again"
                ) from None
            if self._is_first:
                self._is_first = False
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
    """Open a file of JSON, plain or compressed with gzip, zstd or zip, as its first bytes say.

    A zip holds one file of JSON. It is read as a stream: nothing is unpacked, so its name leads
    nowhere. Raises InputError if the file is empty, or no archive of such a file.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if not head:
            raise InputError(f"{path}: the file is empty")
        kind = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "file")
        if kind == "gzip":
            with gzip.open(file) as stream:
                yield Utf8(cast(IO[bytes], stream), kind)
        elif kind == "zstd":
            with pa.CompressedInputStream(file, "zstd") as stream:
                yield Utf8(stream, kind)
        elif kind == "zip":
            try:
                archive = zipfile.ZipFile(file)
                member = archive.open(_member(path, archive))
            except _DAMAGED as error:
                raise InputError(f"{path}: no whole zip ({one_line(error)[:120]})") from None
            with member:
                yield Utf8(member, kind)
        else:
            yield Utf8(file, kind)


def is_hidden(path: PurePath) -> bool:
    """Return whether a name says that a file is none of the user's, such as macOS's `._x`."""
    return path.name.startswith(".") or "__MACOSX" in path.parts


@functools.cache
def warn_once(message: str) -> None:
    """Warn, but not each time that the files are read."""
    logging.warning(message)


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    names = [
        name
        for name in archive.namelist()
        if name.lower().endswith((".json", ".jsonl", ".ndjson")) and not is_hidden(PurePath(name))
    ]
    if len(names) != 1:
        names = names or archive.namelist()
        some = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise InputError(f"{path}: expected one .json file inside, found {some or 'none'}")
    return names[0]
