"""Fetching files of a package with pip, from a folder that serves as the package index."""

import json
import zipfile
from pathlib import Path

import pytest
from files import contents

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.hub import PackageSettings
from nearfirst.data.fetch_package import fetch_package

KEY = "data.mine.package"
FILES = {"tasks/a.jsonl": b"{}\n", "tasks/deep/b.jsonl": b"[]\n", "tasks/code.py": b"1 / 0\n"}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a wheel of `tasks` 1.0, in a folder where pip finds only this."""
    path = tmp_path / "index/tasks-1.0-py3-none-any.whl"
    path.parent.mkdir()
    info = "tasks-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tasks\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def settings(wheel: Path, **changes: object) -> PackageSettings:
    content = {"name": "tasks", "version": "1.0", "sha256": sha256(wheel), "files": ["*.jsonl"]}
    return PackageSettings.model_validate({**content, **changes})


def test_the_files_and_their_record(wheel: Path, tmp_path: Path) -> None:
    output = tmp_path / "raw"
    fetch_package(settings(wheel), output, KEY)
    fetched = contents(output)
    record = json.loads(fetched.pop("fetched.json"))
    assert fetched == {name: FILES[name] for name in FILES if name.endswith(".jsonl")}
    sums = {name: {"sha256": sha256(output / name), "bytes": len(FILES[name])} for name in fetched}
    assert record == {"package": "tasks", "version": "1.0", "files": sums}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "data.mine.package.sha256: the index has another wheel of tasks"),
        ({"version": "2.0"}, "No matching distribution found for tasks==2.0"),
        ({"files": ["*.jsonl", "*.csv"]}, "no file of tasks 1.0 matches '*.csv'; it has"),
    ],
)
def test_a_failed_fetch_leaves_nothing(
    wheel: Path, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        fetch_package(settings(wheel, **changes), tmp_path / "raw/mine", KEY)
    assert reason in str(caught.value)
    assert not list((tmp_path / "raw").glob("*"))


def test_no_file_lands_outside(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("../../escaped.jsonl", b"{}\n")
    with pytest.raises(InputError, match="outside the folder"):
        fetch_package(settings(wheel), tmp_path / "raw", KEY)
    assert not (tmp_path / "escaped.jsonl").exists()
