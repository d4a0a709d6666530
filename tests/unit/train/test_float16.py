"""float16 as on GPUs, emulated on the CPU: resuming, what overflows, and the steps it costs."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from files import contents
from programs import Running
from training import difference, weights

from nearfirst.train.settings import TrainSettings

PROGRAM = Path(__file__).parents[2] / "helpers/float16_on_cpu.py"
RUN = TrainSettings(
    learning_rate=1e-3,
    batch_size=16,
    micro_batch_size=1,
    checkpoint_every=1,
    precision="float16",
)
STEPS = 6
Train = Callable[..., Path]


@pytest.fixture(scope="module")
def train(
    tmp_path_factory: pytest.TempPathFactory,
    model_folder: Path,
    talk: Any,
    write_instances: Any,
    write_arrangement: Any,
) -> Train:
    """Train a segment in one process or several; return its folder.

    All answers are one and the same word, so that the gradients of micro-batches point one way: a
    step's sum is many times larger than each of them.
    """
    data = tmp_path_factory.mktemp("data")
    ids = write_instances(data / "train.parquet", [talk(f"{i}?", "cat") for i in range(16 * STEPS)])
    write_arrangement(data / "order.parquet", ids)

    def make(folder: Path, gpus: int, *flags: object, state_every: int = 50) -> Path:
        words = [
            *(sys.executable, PROGRAM, "--model", model_folder),
            *("--instances", data / "train.parquet", "--arrangement", data / "order.parquet"),
            *("--settings", RUN.canonical(), "--log", folder / "log"),
            *("--hardware", json.dumps({"gpus": gpus, "state_every": state_every})),
            *("--checkpoints", folder / "checkpoints", "--state", folder / "state", *flags),
        ]
        done = Running([str(word) for word in words])
        assert done.wait() == 0, (folder / "log").read_text()
        return folder

    return make


def skipped(folder: Path) -> int:
    """Return how many steps the checkpoints' own record says were skipped."""
    return int(json.loads((folder / "checkpoints/run.json").read_text())["skipped_steps"])


def tensors(state: Path) -> dict[str, Any]:
    """Return the files of a state that hold moments, the scale, the rate and the random numbers."""
    files = sorted([*state.glob("*.bin"), *state.glob("*.pt"), *state.glob("*.pth")])
    return {file.name: torch.load(file, weights_only=False) for file in files}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, train: Train) -> Path:
    """A run of two processes in one piece."""
    return train(tmp_path_factory.mktemp("two"), 2)


def test_two_processes_resume_to_the_same_bytes(tmp_path: Path, train: Train, two: Path) -> None:
    first = train(tmp_path / "first", 2, "--stop", 3)
    flags = ("--start", 3, "--state-before", first / "state")
    second = train(tmp_path / "second", 2, *flags)
    found = contents(first / "checkpoints") | contents(second / "checkpoints")
    assert found == contents(two / "checkpoints")
    ours, theirs = (tensors(folder / "state") for folder in (second, two))
    assert "scaler.pt" in ours
    assert ours["scaler.pt"] == theirs["scaler.pt"]


def test_sums_do_not_overflow_where_their_terms_do_not(
    tmp_path: Path, train: Train, two: Path
) -> None:
    one = train(tmp_path, 1)
    assert skipped(one) == skipped(two) == 0
    for step in range(STEPS + 1):
        ours, theirs = (weights(folder / "checkpoints", step) for folder in (one, two))
        assert difference(ours, theirs) < 2e-3


@pytest.mark.parametrize("gpus", [1, 2])
def test_skipped_steps_are_logged_and_counted_over_segments(
    tmp_path: Path, train: Train, gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSS_SCALE", str(2.0**22))
    whole = train(tmp_path / "whole", gpus)
    steps = re.findall(r"step (\d+): the gradients overflowed", (whole / "log").read_text())
    assert skipped(whole) == len(steps) >= 2
    before = weights(whole / "checkpoints", 0)
    for step in range(1, STEPS + 1):
        after = weights(whole / "checkpoints", step)
        assert (difference(before, after) == 0) == (str(step) in steps)
        before = after
    first = train(tmp_path / "first", gpus, "--stop", 1, state_every=1)
    flags = ("--start", 1, "--state-before", first / "state")
    second = train(tmp_path / "second", gpus, *flags)
    assert (skipped(first), skipped(second)) == (1, skipped(whole))
    found = contents(first / "checkpoints") | contents(second / "checkpoints")
    assert found == contents(whole / "checkpoints")
