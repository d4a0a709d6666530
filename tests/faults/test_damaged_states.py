"""Damaged states of a training job: passed over or named, never used."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from damages import DAMAGES, cut, flip, lose
from faults import Job, Warm, training
from kills import Undisturbed, kill, wait_until

from nearfirst.train.checksums import fault

FILES = [
    *("config.json", "model.safetensors", "optimizer.pt", "rng_state.pth"),
    *("scheduler.pt", "trainer_state.json", "seal.json"),
]


def states(job: Job) -> list[Path]:
    """Return the sealed states of a job that is not through, newest first."""
    found = job.folder.glob("checkpoints.partial/states/checkpoint-*/seal.json")
    return sorted((path.parent for path in found), key=step_of, reverse=True)


def step_of(state: Path) -> int:
    """Return the step of a state by its name."""
    return int(state.name.rpartition("-")[2])


def wait_for_states(job: Job, process: subprocess.Popen[bytes]) -> None:
    """Wait until a job is late in its life and has two whole states."""

    def is_late() -> bool:
        found = states(job)
        return len(found) > 1 and step_of(found[0]) >= 40

    wait_until(lambda: is_late() or process.poll() is not None, "two states")


@pytest.fixture(scope="module")
def killed(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Return a job that was killed late, when it had two whole states."""
    job = training(results, tmp_path_factory.mktemp("killed") / "job")

    for _ in range(5):
        process = job.start()
        wait_for_states(job, process)
        if kill(process) and len(states(job)) > 1:
            return job
        job.clear()  # it was faster than this test
    raise AssertionError("training always ended first")


@pytest.fixture
def job(killed: Job, results: Path, tmp_path: Path) -> Job:
    """Return a copy of that job, to be damaged and run again."""
    shutil.copytree(killed.folder, tmp_path / "job")
    return training(results, tmp_path / "job")


def goes_on_from(printed: str) -> int:
    """Return the step at which the job said that it goes on; 0 if from the base model."""
    found = re.search(
        r"steps 0 to 64 of 64, from (?:\S*/checkpoint-(\d+)|the base model)\n", printed
    )
    assert found, printed
    return int(found[1] or 0)


def test_every_damage_of_every_file_is_seen(killed: Job, tmp_path: Path) -> None:
    state = states(killed)[0]
    assert {path.name for path in state.iterdir()} >= set(FILES)
    assert fault(state) is None
    for path in state.iterdir():
        for damage in DAMAGES:
            shutil.copytree(state, tmp_path / "state", dirs_exist_ok=True)
            damage(tmp_path / "state" / path.name)
            told = fault(tmp_path / "state")
            assert told is not None, (path.name, damage)
            assert str(tmp_path / "state" / path.name) in told


@pytest.mark.parametrize(("number", "name"), list(enumerate(FILES)))
def test_a_damaged_state_is_passed_over(
    warm: Warm, job: Job, undisturbed: Undisturbed, number: int, name: str
) -> None:
    newest, older = states(job)
    DAMAGES[number % len(DAMAGES)](newest / name)
    printed = warm.finish(job)
    assert f"the state of step {step_of(newest)} is passed over" in printed
    assert str(newest / name) in printed
    assert goes_on_from(printed) == step_of(older)
    assert job.result() == undisturbed.result


def test_without_a_whole_state_it_begins_anew(
    warm: Warm, job: Job, undisturbed: Undisturbed
) -> None:
    for state in states(job):
        flip(state / "optimizer.pt")
    assert goes_on_from(warm.finish(job)) == 0
    assert job.result() == undisturbed.result


@pytest.mark.parametrize("damage", [cut, lose])
def test_a_checkpoint_that_is_not_whole_is_written_again(
    warm: Warm, job: Job, undisturbed: Undisturbed, damage: Callable[[Path], None]
) -> None:
    damage(job.folder / "checkpoints.partial/checkpoints/step-000008/model.safetensors")
    assert goes_on_from(warm.finish(job)) == 0
    assert job.result() == undisturbed.result


def test_the_state_before_a_segment_is_named(
    warm: Warm, results: Path, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    before = tmp_path / "before"
    job = training(results, tmp_path / "job", start=64, state_before=before)
    for damage in DAMAGES:
        shutil.copytree(undisturbed.folder / "state", before, dirs_exist_ok=True)
        damage(before / "optimizer.pt")
        line = warm.fail(job)
        assert str(before / "optimizer.pt") in line
        assert f"delete the folder {before}" in line
