"""Resuming after SIGTERM, from a state of the segment before, and beside another job."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files import contents, flip
from programs import Running, wait_until
from training import train

from nearfirst.common.errors import InputError
from nearfirst.model.template import Tokens, encode
from nearfirst.train import segment
from nearfirst.train.checksums import CHECKSUMS
from nearfirst.train.lock import locked
from nearfirst.train.resume import check_state
from nearfirst.train.settings import TrainSettings
from nearfirst.train.torchrun import StoppedError

RUN = TrainSettings(learning_rate=1e-3, batch_size=4, micro_batch_tokens=100, checkpoint_every=2)
STEPS = 10


@pytest.fixture(scope="module")
def tokens(some_talks: Any, tokenizer: Any) -> list[Tokens]:
    return encode(some_talks(4 * STEPS), tokenizer, 100)


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, tokens: list[Tokens]
) -> tuple[Path, Path]:
    return train(model_folder, tokens, RUN, tmp_path_factory.mktemp("whole"), state_every=4)


def sigterm_in(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process two SIGTERMs during a step."""
    train_step = segment._Trainer.training_step
    calls = 0

    def counting_step(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        return train_step(*args)

    monkeypatch.setattr(segment._Trainer, "training_step", counting_step)


@pytest.mark.parametrize("steps", [[1], [4], [3, 2, 4], [STEPS]])
def test_after_sigterm_the_next_job_resumes_to_the_same_bytes(
    tmp_path: Path,
    model_folder: Path,
    tokens: list[Tokens],
    whole: tuple[Path, Path],
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    done = 0
    for step in steps:  # of each job
        with monkeypatch.context() as patch:
            sigterm_in(step, patch)
            done += step
            if done < STEPS:
                with pytest.raises(StoppedError, match=f"SIGTERM after step {done}; .*run again"):
                    train(model_folder, tokens, RUN, tmp_path, state_every=4)
            else:  # in the last step it changes nothing
                train(model_folder, tokens, RUN, tmp_path, state_every=4)
    resumed = train(model_folder, tokens, RUN, tmp_path, state_every=4)
    assert [contents(folder) for folder in resumed] == [contents(folder) for folder in whole]
    assert f"steps 0 to {STEPS} of {STEPS}, from {tmp_path}/states/checkpoint-{done}" in caplog.text


def test_an_unusable_state_before_is_named(
    tmp_path: Path, model_folder: Path, tokens: list[Tokens], whole: tuple[Path, Path]
) -> None:
    before = whole[1]
    with pytest.raises(InputError, match=r"gpus, offload: .* with FSDP now .* saved without"):
        check_state(before, sharded=True)
    flip(before / "optimizer.pt")
    expected = f"^{before}/optimizer.pt is damaged: .*; delete the folder {before} and run"
    with pytest.raises(InputError, match=expected):
        train(model_folder, tokens, RUN, tmp_path, before=before)


def test_two_jobs_on_the_same_outputs(
    tmp_path: Path, start_program: Any, train_arguments: Any
) -> None:
    call = train_arguments(tmp_path, 4 * 60, settings=RUN)
    partial = tmp_path / "checkpoints.partial"

    def start(name: str) -> tuple[Running, Callable[[], str]]:
        log = tmp_path / name
        job = start_program(*call, "--hardware", '{"state_every":1}', "--log", log)
        return job, lambda: log.read_text() if log.exists() else ""

    first, _ = start("1")
    wait_until(lambda: list(partial.glob(f"states/checkpoint-*/{CHECKSUMS}")), "a state")
    first.send_signal(signal.SIGSTOP)  # a stopped process still holds the lock
    second, log = start("2")
    wait_until(lambda: "waiting for another job" in log(), "the second job")
    first.kill()
    assert first.wait() == -signal.SIGKILL
    wait_until(lambda: "step 20 of 60" in log(), "step 20")
    second.terminate()
    assert second.wait() == 143
    assert len(re.findall(r"^error: stopped by SIGTERM after step \d+; ", log(), re.M)) == 1
    assert re.search(r"from \S+/checkpoint-\d+\n", log())
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2", partial.name}

    # Of two waiting jobs, one gets a SIGTERM and ends at once; the other trains to the end.
    with locked(tmp_path / "checkpoints.lock"):
        (third, log3), (fourth, log4) = start("3"), start("4")
        wait_until(lambda: "waiting" in log3() and "waiting" in log4(), "both jobs")
        fourth.terminate()
        assert fourth.wait() == -signal.SIGTERM
    assert third.wait() == 0
    done = tmp_path / "checkpoints/step-000060/model.safetensors"
    written = done.stat()
    fifth, log = start("5")
    assert fifth.wait() == 0
    assert "nothing to do" in log()
    assert os.path.samestat(done.stat(), written)
    assert {path.name for path in tmp_path.iterdir()} == {*"12345", "checkpoints", "state"}
