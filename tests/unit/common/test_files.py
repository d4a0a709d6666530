"""Outputs are whole or not there: when a block fails, and when the disk is full."""

import errno
import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from files import contents
from programs import Program
from small_disk import small_disk

from nearfirst.common.embeddings import write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.files import explain_full_disk, writing, writing_folder


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    with writing(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        # A rename is atomic on one file system only.
        assert temporary.parent == path.parent
        temporary.write_text("whole")
    assert contents(tmp_path) == {"new/folder/file.txt": b"whole"}


def test_a_folder_replaces_an_older_one_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").write_text("old")
    with writing_folder(path) as temporary:
        (temporary / "new").write_text("new")
        assert contents(path) == {"old": b"old"}
    assert contents(tmp_path) == {"folder/new": b"new"}


def write_half(way: AbstractContextManager[Path], failure: type[BaseException]) -> None:
    with way as temporary:
        (temporary / "file" if temporary.is_dir() else temporary).write_text("half")
        raise failure


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, PermissionError])
@pytest.mark.parametrize("older", [True, False])
def test_a_block_that_fails_leaves_what_was_there(
    tmp_path: Path, failure: type[BaseException], older: bool
) -> None:
    if older:
        (tmp_path / "file").write_text("old")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder/file").write_text("old")
    before = contents(tmp_path)
    with pytest.raises(failure):
        write_half(writing(tmp_path / "file"), failure)
    with pytest.raises(failure):
        write_half(writing_folder(tmp_path / "folder"), failure)
    assert contents(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == (2 if older else 0)


@pytest.mark.parametrize(
    "error",
    [
        *(OSError(number, "full") for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 9216 vs 9108"),
    ],
)
def test_a_full_disk_is_reported_whoever_noticed_it(tmp_path: Path, error: Exception) -> None:
    path = tmp_path / "output"
    for way in (writing, writing_folder):
        with pytest.raises(InputError, match=f"^{path}: .*, free some space"), way(path):
            raise error
    with pytest.raises(InputError, match="work is kept"), explain_full_disk(path, "work is kept"):
        raise error
    assert not list(tmp_path.iterdir())


# Process ids are reused: in a container a program often gets the same one every time.


@pytest.mark.parametrize("way", [writing, writing_folder])
def test_what_killed_processes_left_is_removed(
    tmp_path: Path, way: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    node, name = os.uname().nodename, "o[u]t.parquet"
    kept = {
        f".{name}.{node}.{os.getppid()}.tmp": b"of a process that is alive",
        f".{name}.other-{node}.{dead.pid}.tmp": b"of another node",
        f".other-{name}.{node}.{dead.pid}.tmp": b"of another output",
        f"{name}.{node}.{dead.pid}.tmp": b"of the user",
    }
    for file, data in kept.items():
        (tmp_path / file).write_bytes(data)
    debris = tmp_path / f".{name}.{node}.{dead.pid}.tmp"
    debris.mkdir()
    (debris / "half").touch()
    for _ in range(2):  # a folder, then a file
        with way(tmp_path / name) as temporary:
            (temporary / "x" if temporary.is_dir() else temporary).write_bytes(b"whole")
        assert not debris.exists()
        debris.write_bytes(b"half")
    debris.unlink()
    whole = name if way is writing else f"{name}/x"
    assert contents(tmp_path) == {**kept, whole: b"whole"}


# tests/faults/test_disk_full.py has other programs.
def test_a_full_disk_leaves_the_older_output(tmp_path: Path, program: Program) -> None:
    for name, count in {"few": 10, "many": 1000, "test": 400}.items():
        ids = [f"{name}-{i}" for i in range(count)]
        write_embeddings(ids, np.ones((count, 8)), tmp_path / f"{name}.parquet")
    with small_disk(tmp_path / "disk", "128k") as disk:
        # A row of the matrix has 1.6 KB.
        flags = ["--test", tmp_path / "test.parquet", "--matrix", disk / "matrix.npy"]
        flags += ["--log", tmp_path / "log", "--train"]
        program("distances.py", *flags, tmp_path / "few.parquet", check=True)
        before = contents(disk)
        done = program("distances.py", *flags, tmp_path / "many.parquet")
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {disk}/matrix.npy: No space left")
        assert done.stderr.count("\n") == 1
        assert contents(disk) == before != {}
