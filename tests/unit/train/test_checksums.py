"""Folders with checksums: damage is found and named, and damaged files are never used."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from files import DAMAGES, cut, flip, lose

from nearfirst.model.checkpoints import step_folder, step_of
from nearfirst.train import resume
from nearfirst.train.checksums import CHECKSUMS, damage, read_checksums, write_checksums

Damage = Callable[[Path], None]


@pytest.mark.parametrize("damage_file", DAMAGES)
@pytest.mark.parametrize("name", ["a", "below/b", CHECKSUMS])
def test_damage_to_any_file_is_found(tmp_path: Path, name: str, damage_file: Damage) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "a").write_bytes(b"some weights")
    (folder / "below/b").write_bytes(b"moments")
    assert CHECKSUMS in str(damage(folder))
    write_checksums(folder, {folder / "a": "0" * 64}, step=3)  # it is not read
    assert str(folder / "a") in str(damage(folder))
    write_checksums(folder, step=3)
    (folder / "later").touch()
    folder = folder.rename(tmp_path / "moved")
    assert damage(folder) is None
    assert (read_checksums(folder) or {})["step"] == 3
    damage_file(folder / name)
    assert str(folder / name) in str(damage(folder))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work folder with states at steps 2, 4 and 6, and checkpoints at 0 to 7."""
    folder = tmp_path / "work"
    resume.prepare(folder, "this run")
    for step in range(8):
        checkpoint = step_folder(folder / "checkpoints", step)
        checkpoint.mkdir()
        (checkpoint / "model.safetensors").write_bytes(b"weights" * (step + 1))
        if step in (2, 4, 6):
            state = folder / f"states/checkpoint-{step}"
            state.mkdir(parents=True)
            (state / "optimizer.pt").write_bytes(b"moments" * step)
            resume.save_checksums(state, folder / "checkpoints", "this run", {}, 0)
    return folder


def prepared(work: Path, run: str = "this run") -> tuple[int | None, list[int]]:
    """Prepare a folder; return the steps of its last state and of its checkpoints."""
    resume.prepare(work, run)
    last = resume.last_state(work)
    steps = sorted(step_of(path) for path in (work / "checkpoints").iterdir())
    return (step_of(last) if last else None), steps


@pytest.mark.parametrize("damage_file", DAMAGES)
@pytest.mark.parametrize(
    ("paths", "last"),
    [
        ([], 6),
        (["checkpoint-6/optimizer.pt"], 4),
        ([f"checkpoint-6/{CHECKSUMS}"], 4),
        (["checkpoint-4/optimizer.pt"], 6),
        ([f"checkpoint-{step}/optimizer.pt" for step in (4, 6)], 2),
        ([f"checkpoint-{step}/{CHECKSUMS}" for step in (2, 4, 6)], None),
    ],
)
def test_a_damaged_state_is_skipped(
    work: Path,
    paths: list[str],
    last: int | None,
    damage_file: Damage,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for path in paths:
        damage_file(work / "states" / path)
    assert prepared(work) == (last, list(range(0 if last is None else last + 1)))
    if last != 6:
        assert str(work / "states" / paths[-1]) in caplog.text
        assert "skipping the state of step 6" in caplog.text


@pytest.mark.parametrize(("step", "last"), [(0, None), (3, 2), (5, 4), (6, 4), (7, 6)])
@pytest.mark.parametrize("damage_file", [cut, lose, lambda path: shutil.rmtree(path.parent)])
def test_a_state_without_all_its_checkpoints_is_skipped(
    work: Path, step: int, last: int | None, damage_file: Damage
) -> None:
    damage_file(step_folder(work / "checkpoints", step) / "model.safetensors")
    assert prepared(work) == (last, list(range(0 if last is None else last + 1)))


def test_another_run_starts_afresh(work: Path) -> None:
    assert prepared(work, "another run") == (None, [])


@pytest.mark.parametrize(
    ("damage_file", "path", "expected"),
    [
        (flip, "states/checkpoint-6/optimizer.pt", False),
        (lose, f"states/checkpoint-6/{CHECKSUMS}", False),
        (cut, "checkpoints/step-000005/model.safetensors", False),
        (lose, "checkpoints/step-000006/model.safetensors", False),
        (lose, "checkpoints/step-000007/model.safetensors", True),
    ],
)
def test_finished_outputs_are_whole_and_of_the_same_run(
    work: Path, damage_file: Damage, path: str, expected: bool
) -> None:
    damage_file(work / path)
    state, checkpoints = work / "states/checkpoint-6", work / "checkpoints"
    assert resume.finished(state, checkpoints, "this run", 6) == expected
    assert not resume.finished(state, checkpoints, "another run", 6)
    assert not resume.finished(state, checkpoints, "this run", 7)
    assert not resume.finished(work / "states/checkpoint-7", checkpoints, "this run", 7)
