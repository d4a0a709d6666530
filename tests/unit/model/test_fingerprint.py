"""Fingerprints of code and files change with an edit of either, and with nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from nearfirst.model import fingerprint

PACKAGE = Path(fingerprint.__file__).parents[1]


@pytest.mark.parametrize("job", ["generate/job.py", "train/segment.py"])
def test_an_edit_of_what_a_module_imports_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    copy = tmp_path / "nearfirst"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = fingerprint.code(PACKAGE / job)
    monkeypatch.setattr(fingerprint, "__file__", str(copy / "model/fingerprint.py"))
    for name, changes in (("score/scorer.py", 0), (job, 1), ("model/template.py", 2)):
        with (copy / name).open("a") as file:
            file.write("# another line\n")
        after = fingerprint.code(copy / job)
        assert sum(old != new for old, new in zip(before, after, strict=True)) == changes


def test_files_are_known_by_name_size_and_time(tmp_path: Path) -> None:
    assert fingerprint.files(tmp_path / "none") == []
    for name in ("b", "a", "below/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(1, 2))
    assert fingerprint.files(tmp_path) == [("a", 1, 2), ("b", 1, 2), ("c", 7, 2)]
    assert fingerprint.files(tmp_path, "a") == [("a", 1, 2)]
