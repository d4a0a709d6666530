"""Fingerprints of the user's files follow their content; unchanged files are not read again."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nearfirst.common import content
from nearfirst.common.errors import InputError

OLD = 10**18  # 2001


def state(folder: Path, cache: Path) -> str:
    return content.state(folder, sorted(folder.iterdir()), cache)


def overwrite(file: Path) -> None:
    stat = file.stat()
    file.write_bytes(b"other")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (lambda file: file.touch(), False),
        (lambda file: os.utime(file, ns=(OLD, OLD)), False),
        (overwrite, True),
        (lambda file: file.rename(file.with_name("A")), True),
        (lambda file: file.unlink(), True),
        (lambda file: file.with_name("b").write_bytes(b""), True),
    ],
)
def test_content_and_names_matter_and_times_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], matters: bool
) -> None:
    monkeypatch.setattr(content, "TICK", -1)
    folder = tmp_path / "ü\udce4"  # a name need not be UTF-8
    folder.mkdir()
    (folder / "a").write_bytes(b"first")
    before = state(folder, tmp_path / "cache")
    change(folder / "a")
    assert (state(folder, tmp_path / "cache") != before) == matters


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    hash_ = content.sha256
    monkeypatch.setattr(content, "sha256", lambda file: (read.append(file.name), hash_(file))[1])
    folder, cache = tmp_path / "data", tmp_path / "cache"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(name)
    first = state(folder, cache)
    # Files just written may change again and keep their times.
    assert state(folder, cache) == first
    assert sorted(read) == ["a", "a", "b", "b"]
    monkeypatch.setattr(content, "TICK", -1)
    state(folder, cache)
    read.clear()
    assert state(folder, cache) == first
    assert read == []
    (folder / "b").write_text("c")
    changed = state(folder, cache)
    assert read == ["b"]
    # With a damaged cache, or no place for one, everything is read.
    next(cache.iterdir()).write_text("[")
    cache.rename(tmp_path / "file")
    (tmp_path / "none").write_text("")
    for place in ("file", "none"):
        assert state(folder, tmp_path / place) == changed


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="loop: cannot be read"):
        content.state(tmp_path, [tmp_path / "loop"], tmp_path / "cache")
