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
    micro_batch_tokens=40,
    checkpoint_every=1,
    precision="float16",
)
STEPS = 6
Train = Callable[..., Path]


pytestmark = pytest.mark.usefixtures("warm_processes")


@pytest.fixture(scope="module")
def train(talk: Any, train_arguments: Any) -> Train:
    """Train a segment in one or several processes; return its folder.

    All answers are the same word, so that the gradients of micro-batches point the same way: their
    sum is many times larger than each.
    """
    talks = [talk(f"{i}?", "cat") for i in range(16 * STEPS)]

    def make(folder: Path, gpus: int, *flags: object, offload: bool = False) -> Path:
        hardware = json.dumps({"gpus": gpus, "offload": offload})
        _, *words = train_arguments(folder, talks, settings=RUN.canonical(), hardware=hardware)
        job = Running([sys.executable, *map(str, [PROGRAM, *words, *flags])])
        assert job.wait() == 0, (folder / "log").read_text()
        return folder

    return make


def record(folder: Path) -> dict[str, Any]:
    """Return the `run.json` of the checkpoints."""
    content: dict[str, Any] = json.loads((folder / "checkpoints/run.json").read_text())
    return content


def skipped(folder: Path) -> int:
    return int(record(folder)["skipped_steps"])


def test_sums_do_not_overflow_where_their_terms_do_not(tmp_path: Path, train: Train) -> None:
    folders = [train(tmp_path / str(gpus), gpus) for gpus in (1, 2)]
    assert [skipped(folder) for folder in folders] == [0, 0]
    for step in range(STEPS + 1):
        pair = [weights(folder / "checkpoints", step) for folder in folders]
        assert difference(*pair) < 2e-3


def test_two_processes_resume_to_the_same_bytes_and_count_skipped_steps(
    tmp_path: Path, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSS_SCALE", str(2.0**22))
    whole = train(tmp_path / "whole", 2)
    log = (whole / "log").read_text()
    steps = re.findall(r"step (\d+): the gradients overflowed .* (\d+) skipped so far", log)
    assert skipped(whole) == len(steps) >= 2
    assert [int(count) for _, count in steps] == list(range(1, len(steps) + 1))
    before = weights(whole / "checkpoints", 0)
    for step in range(1, STEPS + 1):
        after = weights(whole / "checkpoints", step)
        assert (difference(before, after) == 0) == (str(step) in dict(steps))
        before = after

    parts, flags = [], []
    for start, stop, offload in ((0, 1, False), (1, 3, True), (3, STEPS, False)):
        folder = tmp_path / str(start)
        part = train(folder, 2, "--stop", stop, *flags, offload=offload)
        flags = ["--state-before", part / "state"]
        parts.append(part)
    assert (skipped(parts[0]), skipped(parts[-1])) == (1, skipped(whole))
    written = {name: value for part in parts for name, value in record(part)["weights"].items()}
    assert written == record(whole)["weights"]
    files = [contents(folder / "checkpoints") for folder in (*parts, whole)]
    assert all(checkpoints.pop("run.json") for checkpoints in files)
    assert files[0] | files[1] | files[2] == files[3]
    scalers = [torch.load(folder / "state/scaler.pt") for folder in (parts[-1], whole)]
    assert scalers[0] == scalers[1]
