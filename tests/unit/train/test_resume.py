"""Going on after an end that nobody planned: SIGTERM, damaged files, two jobs of the same name."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError
from nearfirst.hardware import TrainHardware
from nearfirst.model import load
from nearfirst.model.template import Tokens, encode
from nearfirst.train import resume, segment
from nearfirst.train.checksums import SEAL
from nearfirst.train.lock import alone
from nearfirst.train.settings import TrainSettings
from nearfirst.train.sigterm import StoppedError

RUN = TrainSettings(learning_rate=1e-3, batch_size=4, micro_batch_size=2, checkpoint_every=2)
STEPS = 10


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.fixture(scope="module")
def tokens(some_talks: Any, tokenizer: Any) -> list[Tokens]:
    return encode(some_talks(4 * STEPS), tokenizer, 100)


@pytest.fixture
def default_sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def train(model_folder: Path, tokens: list[Tokens]) -> Callable[..., tuple[Any, Any]]:
    """Train in this process; returns the files of the checkpoints and of the state."""

    def run(work: Path, before: Path | None = None, start: int = 0) -> tuple[Any, Any]:
        found = segment.train_segment(
            load.load_model(str(model_folder)),
            tokens,
            RUN,
            TrainHardware(state_every=4),
            start=start,
            stop=None,
            before=before,
            work=work,
            run=resume.identity(RUN, tokens, [str(model_folder)], sharded=False),
        )
        return contents(found[0]), contents(found[1])

    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, train: Any) -> tuple[Any, Any]:
    before = signal.getsignal(signal.SIGTERM)
    result: tuple[Any, Any] = train(tmp_path_factory.mktemp("whole") / "work")
    signal.signal(signal.SIGTERM, before)
    assert len(result[0]) == 3 * 6
    return result


def sigterm_in(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process two SIGTERMs while the batches of a step are put together."""
    pad = segment.pad
    calls = 0

    def counting(batch: Sequence[Tokens]) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2 * step:  # the second micro-batch; the first may be read a step ahead
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        return pad(batch)

    monkeypatch.setattr(segment, "pad", counting)


@pytest.mark.usefixtures("default_sigterm")
@pytest.mark.parametrize("steps", [[1], [4], [3, 2, 4]])
def test_sigterm_ends_after_a_step_and_the_next_job_goes_on_to_the_same_bytes(
    tmp_path: Path,
    train: Any,
    whole: tuple[Any, Any],
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    done = 0
    for step in steps:  # of each job
        with monkeypatch.context() as patch:
            sigterm_in(step, patch)
            with pytest.raises(StoppedError) as stopped:
                train(tmp_path / "work")
        reached = re.search(r"stopped by SIGTERM after step (\d+); .*run again", str(stopped.value))
        assert reached is not None
        done += step
        assert int(reached[1]) == done
    assert train(tmp_path / "work") == whole
    assert f"steps 0 to {STEPS} of {STEPS}, from {tmp_path}/work/states/checkpoint-{done}" in (
        caplog.text
    )


@pytest.mark.usefixtures("default_sigterm")
def test_sigterm_in_the_last_step_changes_nothing(
    tmp_path: Path, train: Any, whole: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sigterm_in(STEPS, monkeypatch)
    assert train(tmp_path / "work") == whole


@pytest.mark.usefixtures("default_sigterm")
@pytest.mark.parametrize(
    "path",
    ["states/checkpoint-8/optimizer.pt", "checkpoints/step-000006/model.safetensors"],
)
def test_after_damage_it_goes_on_to_the_same_bytes(
    tmp_path: Path, train: Any, whole: tuple[Any, Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sigterm_in(9, monkeypatch)
    with pytest.raises(StoppedError):
        train(tmp_path / "work")
    monkeypatch.undo()
    truncate(tmp_path / "work" / path)
    assert train(tmp_path / "work") == whole


def test_a_damaged_state_before_is_named(tmp_path: Path, train: Any, whole: Any) -> None:
    before = tmp_path / "state"
    for name, data in whole[1].items():
        (before / name).parent.mkdir(exist_ok=True)
        (before / name).write_bytes(data)
    with pytest.raises(InputError, match=r"the state of step 10, not of --start 4"):
        train(tmp_path / "work", before, 4)
    with pytest.raises(InputError, match=r"train\.gpus: several GPUs now, .* saved on one"):
        resume.check_before(before, 10, sharded=True)
    flip(before / "optimizer.pt")
    expected = f"^{before}/optimizer.pt is damaged: .*; delete the folder {before} and run"
    with pytest.raises(InputError, match=expected):
        train(tmp_path / "work", before, 10)


# Two jobs, as programs -----------------------------------------------------------------------


def wait_for(condition: Callable[[], Any], *jobs: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert all(job.poll() is None for job in jobs)
        time.sleep(0.005)


def test_two_jobs_of_the_same_outputs(
    tmp_path: Path, start_program: Any, train_arguments: Any
) -> None:
    slow = ("--hardware", '{"state_every":1}')
    call = train_arguments(tmp_path, 4 * 150, settings=RUN)
    first = start_program(*call, *slow)
    partial, log = tmp_path / "checkpoints.partial", tmp_path / "other.log"
    wait_for(lambda: list(partial.glob(f"states/checkpoint-*/{SEAL}")), first)
    first.send_signal(signal.SIGSTOP)  # it holds the lock all the same
    second = start_program(*call, *slow, "--log", log)
    wait_for(lambda: log.exists() and "waiting for another job" in log.read_text(), second)
    assert f"process {first.pid}" in log.read_text()
    first.kill()
    assert first.wait() == -signal.SIGKILL
    wait_for(lambda: "step 20 of 150" in log.read_text(), second)
    second.terminate()
    assert second.wait() == 143
    stopped = re.findall(r"^error: stopped by SIGTERM after step (\d+); ", log.read_text(), re.M)
    assert len(stopped) == 1
    assert re.search(r"from \S+/checkpoint-\d+\n", log.read_text())
    assert {path.name for path in tmp_path.iterdir()} == {*("log", log.name, partial.name)}

    # Of two that wait, one is told to end, and does at once; the other goes on to the end.
    with alone(tmp_path / "checkpoints.lock"):
        third, fourth = (start_program(*call, "--log", tmp_path / name) for name in "34")
        wait_for(lambda: (tmp_path / "3").exists() and "waiting" in (tmp_path / "3").read_text())
        wait_for(lambda: (tmp_path / "4").exists() and "waiting" in (tmp_path / "4").read_text())
        fourth.terminate()
        assert fourth.wait() == -signal.SIGTERM
    assert third.wait() == 0
    done = tmp_path / "checkpoints/step-000150/model.safetensors"
    written = done.stat()
    fifth = start_program(*call, "--log", tmp_path / "5")
    assert fifth.wait() == 0
    assert "nothing to do" in (tmp_path / "5").read_text()
    assert os.path.samestat(done.stat(), written)
    assert not partial.exists()
    assert not (tmp_path / "checkpoints.lock").exists()
