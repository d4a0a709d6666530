"""`make setup` finds a Python, reports problems, and is not marked as done if pip fails."""

import subprocess
from pathlib import Path

import pytest
from checkout import ROOT, make

FAKE = """#!/bin/sh
case "$*" in
    --version) echo Python {version} ;;
    *"import ensurepip"*) ;;
    *"import sys"*) exit {unfit} ;;
    "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *) echo "Collecting this"; echo "ERROR: no such package" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def python(path: Path, version: str) -> Path:
    """Write a command that answers like a Python of this version."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(FAKE.format(version=version, unfit=int(version in ("3.10", "3.14"))))
    path.chmod(0o755)
    return path


def setup(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return make(folder, "setup", *flags, first=folder / "bin")


@pytest.mark.parametrize(
    ("installed", "used"),
    [
        ({"python3": "3.12", "python3.13": "3.13"}, "python3"),
        ({"python3": "3.10", "python3.13": "3.13", "python3.12": "3.12"}, "python3.13"),
        ({"python3": "3.14", "python3.13": "3.14", "python3.12": "3.12"}, "python3.12"),
    ],
)
def test_python3_is_used_or_else_the_newest_supported_one(
    folder: Path, installed: dict[str, str], used: str
) -> None:
    for name, version in installed.items():
        python(folder / "bin" / name, version)
    done = setup(folder, "--dry-run")
    assert f"\n{used} -m venv .venv\n" in done.stdout, done.stderr


def test_an_unsupported_python_is_named(folder: Path) -> None:
    old = python(folder / "old", "3.10")
    done = setup(folder, f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed, but this is Python 3.10" in done.stderr


def test_if_pip_fails_its_output_is_shown_and_nothing_marked_as_done(folder: Path) -> None:
    done = setup(folder, f"PYTHON={python(folder / 'new', '3.13')}")
    assert done.returncode != 0
    assert "ERROR: no such package" in done.stderr
    assert "error: pip failed" in done.stderr
    assert not (folder / ".venv/installed").exists()
