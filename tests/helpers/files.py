"""Damage to files, the errors it gives, and the contents of folders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError


def cut(path: Path) -> None:
    """Cut a file in the middle."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path) -> None:
    """Empty a file, as a lost node may leave it."""
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose(path: Path) -> None:
    """Remove a file."""
    path.unlink()


DAMAGES: list[Callable[[Path], None]] = [cut, empty, flip, lose]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refusal(path: Path, read: Any, *arguments: Any, **options: Any) -> str:
    """Return the one-line error, which names the file, with which it is not read."""
    with pytest.raises(InputError) as caught:
        read(path, *arguments, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message
