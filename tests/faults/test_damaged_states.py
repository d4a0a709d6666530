"""Damaged states of a training job: skipped or named, never used."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Job, training
from files import DAMAGES, cut, empty, flip, lose
from kills import Undisturbed, kill, wait_until

from nearfirst.train.checksums import read_checksums


def states(job: Job) -> list[Path]:
    """Return the complete states of an unfinished job, newest first."""
    paths = job.folder.glob("checkpoints.partial/states/checkpoint-*/checksums.json")
    return sorted((path.parent for path in paths), key=step_of, reverse=True)


def step_of(state: Path) -> int:
    return int(state.name.rpartition("-")[2])


@pytest.fixture(scope="module")
def killed(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Return a job that was killed late, when it had two complete states."""
    job = training(results, tmp_path_factory.mktemp("killed") / "job")

    def is_late() -> bool:
        newest = states(job)
        return len(newest) == 2 and step_of(newest[0]) >= 40

    for _ in range(5):
        process = job.start()
        wait_until(lambda process=process: is_late() or process.poll() is not None, "two states")
        if kill(process) and len(states(job)) == 2:
            return job
        job.clear()  # it ended before the kill
    raise AssertionError("training always ended before the kill")


def test_every_file_of_a_state_has_a_checksum(killed: Job) -> None:
    for state in states(killed):
        names = {path.name for path in state.iterdir()} - {"checksums.json"}
        assert names >= {
            *("config.json", "model.safetensors", "optimizer.pt"),
            *("rng_state.pth", "scheduler.pt", "trainer_state.json"),
        }
        assert (read_checksums(state) or {})["sha256"].keys() == names


CHECKPOINT = "checkpoints/step-000008/model.safetensors"


@pytest.mark.parametrize(
    ("damage", "files", "skipped"),
    [
        # tests/unit/train/test_checksums.py has the other kinds of damage and files.
        (lose, ["newest/rng_state.pth"], 1),
        (empty, ["newest/checksums.json"], 1),
        (flip, ["newest/optimizer.pt", "older/optimizer.pt"], 2),
        # Without a checkpoint that its states rely on, the run starts again.
        (cut, [CHECKPOINT], 2),
    ],
)
def test_a_damaged_state_is_skipped(
    killed: Job,
    results: Path,
    tmp_path: Path,
    undisturbed: Undisturbed,
    damage: Callable[[Path], None],
    files: list[str],
    skipped: int,
) -> None:
    shutil.copytree(killed.folder, tmp_path / "job")
    job = training(results, tmp_path / "job")
    newest, older = states(job)
    steps = [step_of(newest), step_of(older), 0]
    folders = {"newest": newest, "older": older, "checkpoints": newest.parents[1] / "checkpoints"}
    for file in files:
        folder, _, name = file.partition("/")
        damage(folders[folder] / name)
    printed = job.finish()
    resumed = f"checkpoint-{steps[skipped]}" if steps[skipped] else "the base model"
    assert re.search(rf"steps 0 to 64 of 64, from (\S*/)?{resumed}\n", printed)
    for step in steps[:skipped]:
        assert f"skipping the state of step {step}" in printed
    assert str(folders[folder] / name) in printed
    assert job.result() == undisturbed.result


def test_the_state_before_a_segment_is_named(
    results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    before = tmp_path / "before"
    job = training(results, tmp_path / "job", start=64, state_before=before)
    for damage in DAMAGES:
        shutil.copytree(undisturbed.folder / "state", before, dirs_exist_ok=True)
        damage(before / "optimizer.pt")
        line = job.fail()
        assert str(before / "optimizer.pt") in line
        assert f"delete the folder {before}" in line
