"""Files of a package, by pip from a folder that plays the package index."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.package import PackageSettings
from nearfirst.data.fetch_package import fetch_package

KEY = "data.mine.package"
FILES = {"tasks/a.jsonl": b"{}\n", "tasks/deep/b.jsonl": b"[]\n", "tasks/code.py": b"1 / 0\n"}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a wheel of `tasks` 1.0 in a folder where pip finds it, and nothing else."""
    path = tmp_path / "index/tasks-1.0-py3-none-any.whl"
    path.parent.mkdir()
    facts = "tasks-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
        archive.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: tasks\nVersion: 1.0\n")
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{facts}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def settings(wheel: Path, **changes: object) -> PackageSettings:
    sum_ = hashlib.sha256(wheel.read_bytes()).hexdigest()
    given = {"name": "tasks", "version": "1.0", "sha256": sum_, "files": ["*.jsonl"], **changes}
    return PackageSettings.model_validate(given)


def test_the_files_and_their_record(wheel: Path, tmp_path: Path) -> None:
    output = tmp_path / "raw"
    fetch_package(settings(wheel), output, KEY)
    data = {name: content for name, content in FILES.items() if name.endswith(".jsonl")}
    found = {p.relative_to(output).as_posix(): p for p in output.rglob("*") if p.is_file()}
    record = json.loads(found.pop("fetched.json").read_text())
    assert {name: path.read_bytes() for name, path in found.items()} == data
    assert (record["package"], record["version"]) == ("tasks", "1.0")
    assert record["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in data.items()
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "data.mine.package.sha256: the index has another wheel of tasks"),
        ({"version": "2.0"}, "No matching distribution found for tasks==2.0"),
        ({"files": ["*.jsonl", "*.csv"]}, "no file of tasks 1.0 matches '*.csv'; it has"),
    ],
)
def test_what_cannot_be_fetched_leaves_nothing(
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
