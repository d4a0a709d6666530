"""Sealed folders: what is damaged is found, named and never used. No torch is needed for that."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nearfirst.train import resume
from nearfirst.train.checksums import SEAL, fault, read_seal, seal


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped": flip,
    "truncated": truncate,
    "missing": Path.unlink,
}
damaged = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@damaged
@pytest.mark.parametrize("name", ["a", "below/b", SEAL])
def test_a_seal_tells_of_every_damage(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "a").write_bytes(b"some weights")
    (folder / "below/b").write_bytes(b"moments")
    assert SEAL in str(fault(folder))
    seal(folder, step=3)
    assert fault(folder) is None
    (folder / "later").touch()
    assert fault(folder) is None
    folder = folder.rename(tmp_path / "moved")
    assert fault(folder) is None
    assert (read_seal(folder) or {})["step"] == 3
    damage(folder / name)
    assert str(folder / name) in str(fault(folder))


def make_work(folder: Path, run: str = "this run") -> Path:
    """States at steps 2, 4 and 6, checkpoints at 0 to 7."""
    resume.claim(folder, run)
    for step in range(8):
        checkpoint = resume.step_folder(folder / "checkpoints", step)
        checkpoint.mkdir()
        (checkpoint / "model.safetensors").write_bytes(b"weights" * (step + 1))
        state = folder / f"states/checkpoint-{step}"
        if step in (2, 4, 6):
            state.mkdir(parents=True)
            (state / "optimizer.pt").write_bytes(b"moments" * step)
            resume.seal_state(state, folder / "checkpoints", run)
    return folder


def left(work: Path) -> tuple[str | None, list[int]]:
    last = resume.last_state(work)
    found = [resume.step_of(path) for path in (work / "checkpoints").iterdir()]
    return (last.name if last else None), sorted(found)


@damaged
@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], ("checkpoint-6", 7)),
        (["states/checkpoint-6/optimizer.pt"], ("checkpoint-4", 5)),
        (["states/checkpoint-6/seal.json"], ("checkpoint-4", 5)),
        (["states/checkpoint-4/optimizer.pt"], ("checkpoint-6", 7)),
        ([f"states/checkpoint-{step}/optimizer.pt" for step in (4, 6)], ("checkpoint-2", 3)),
        ([f"states/checkpoint-{step}/seal.json" for step in (2, 4, 6)], (None, 0)),
    ],
)
def test_a_damaged_state_is_passed_over(
    tmp_path: Path,
    paths: list[str],
    expected: tuple[str | None, int],
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = make_work(tmp_path / "work")
    for path in paths:
        damage(work / path)
    resume.claim(work, "this run")
    assert left(work) == (expected[0], list(range(expected[1])))
    if expected[0] != "checkpoint-6":
        assert str(work / paths[-1]) in caplog.text
        assert "the state of step 6 is passed over" in caplog.text


@pytest.mark.parametrize(("step", "expected"), [(0, None), (3, 2), (5, 4), (6, 4), (7, 6)])
@pytest.mark.parametrize("damage", [truncate, Path.unlink, lambda path: shutil.rmtree(path.parent)])
def test_a_state_whose_checkpoints_are_not_all_there_is_passed_over(
    tmp_path: Path, step: int, expected: int | None, damage: Callable[[Path], None]
) -> None:
    work = make_work(tmp_path / "work")
    path = work / f"checkpoints/step-{step:06d}/model.safetensors"
    damage(path)
    resume.claim(work, "this run")
    last = None if expected is None else f"checkpoint-{expected}"
    assert left(work) == (last, list(range(0 if expected is None else expected + 1)))


def test_another_run_begins_anew(tmp_path: Path) -> None:
    work = make_work(tmp_path / "work")
    resume.claim(work, "another run")
    assert left(work) == (None, [])


@pytest.mark.parametrize(
    ("damage", "path", "expected"),
    [
        (None, "", True),
        (flip, "states/checkpoint-6/optimizer.pt", False),
        (Path.unlink, "states/checkpoint-6/seal.json", False),
        (truncate, "checkpoints/step-000005/model.safetensors", False),
        (Path.unlink, "checkpoints/step-000006/model.safetensors", False),
        (Path.unlink, "checkpoints/step-000007/model.safetensors", True),
    ],
)
def test_outputs_are_taken_if_they_are_whole_and_of_the_same_run(
    tmp_path: Path, damage: Callable[[Path], None] | None, path: str, expected: bool
) -> None:
    work = make_work(tmp_path / "work")
    if damage:
        damage(work / path)
    state, checkpoints = work / "states/checkpoint-6", work / "checkpoints"
    assert resume.finished(state, checkpoints, "this run", 6) == expected
    assert not resume.finished(state, checkpoints, "another run", 6)
    assert not resume.finished(state, checkpoints, "this run", 7)
    assert not resume.finished(work / "states/checkpoint-7", checkpoints, "this run", 7)
