"""A step is the same whatever number of processes and micro-batches it is spread over.

The processes are those of several GPUs, sharding included, on CPUs. Adam with an epsilon of 1 is
close to plain descent, and its first step tells the gradient: w0 - w1 = rate * g / (|g| + 1).
"""

import json
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from nearfirst.hardware import TrainHardware
from nearfirst.model import load
from nearfirst.model.template import IGNORED, Tokens, encode
from nearfirst.train import resume, segment
from nearfirst.train.checksums import SEAL, read_seal
from nearfirst.train.settings import TrainSettings

RATE = 0.1
RUN = TrainSettings(
    learning_rate=RATE,
    epsilon=1.0,
    gradient_clipping=1e9,
    batch_size=16,
    micro_batch_size=2,
    checkpoint_every=1,
)
STEPS = 12
# Rounding only: sums are made in another order. The weights are about 0.02, gradients up to 0.1.
WEIGHTS, GRADIENT, LOSS = 1e-6, 1e-6, 1e-5
Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def talks(some_talks: Any) -> list[Any]:
    """Pairs of short and of long answers in turn: one process gets all of the long ones."""
    found = some_talks(16 * STEPS - 3)
    for i, talk in enumerate(found):
        if i // 2 % 2:
            talk[1]["content"] = " ".join([talk[1]["content"]] * 6)
        else:
            talk[1]["content"] = "no"
    return found


@pytest.fixture(scope="module")
def tokens(talks: list[Any], tokenizer: Any) -> list[Tokens]:
    return encode(talks, tokenizer, 200)


def summed_loss(model: Any, item: Tokens) -> torch.Tensor:
    logits = model(torch.from_numpy(item.ids)[None]).logits[0, :-1]
    labels = torch.from_numpy(item.labels[1:])
    return torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")


def gradient(model_folder: Path, batch: list[Tokens], shares: list[float]) -> Weights:
    """The gradient of the instances' summed losses, each times its share."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    for item, share in zip(batch, shares, strict=True):
        (summed_loss(model, item) * share).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def first_gradient(checkpoints: Path) -> Weights:
    before, after = (load_file(checkpoints / f"step-00000{i}/model.safetensors") for i in (0, 1))
    moves = {name: (before[name] - after[name]) / RATE for name in before}
    return {name: move / (1 - move.abs()) for name, move in moves.items()}


def apart(one: Weights, other: Weights) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def losses(model_folder: Path, checkpoints: Path, tokens: list[Tokens]) -> dict[str, float]:
    """The mean loss a label token of some instances, by checkpoint."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    found = {}
    for folder in sorted(checkpoints.iterdir()):
        model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        with torch.no_grad():
            total = sum(float(summed_loss(model, item)) for item in tokens)
        found[folder.name] = total / sum(item.label_tokens for item in tokens)
    return found


@pytest.fixture(scope="module")
def one_process(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, tokens: list[Tokens]
) -> Callable[..., Path]:
    def run(micro: int, stop: int | None = None) -> Path:
        settings = RUN.model_copy(update={"micro_batch_size": micro})
        torch.set_num_threads(1)
        return segment.train_segment(
            load.load_model(str(model_folder)),
            tokens,
            settings,
            TrainHardware(),
            start=0,
            stop=stop,
            before=None,
            work=tmp_path_factory.mktemp("one"),
            run=resume.identity(settings, tokens, [str(model_folder)], sharded=False),
        )[0]

    return run


@pytest.fixture(scope="module")
def whole(one_process: Any) -> Path:
    found: Path = one_process(16)
    return found


@pytest.fixture(scope="module")
def by_hand(model_folder: Path, tokens: list[Tokens]) -> Weights:
    """The gradient of the first step: of the mean over the label tokens of the whole batch."""
    batch = tokens[:16]
    return gradient(model_folder, batch, [1 / sum(item.label_tokens for item in batch)] * 16)


@pytest.mark.parametrize("micro", [1, 2, 4, 8, 16])
def test_micro_batches_change_nothing(
    model_folder: Path,
    tokens: list[Tokens],
    one_process: Any,
    by_hand: Weights,
    whole: Path,
    micro: int,
) -> None:
    found = whole if micro == 16 else one_process(micro, stop=5)
    assert apart(first_gradient(found), by_hand) < GRADIENT
    last = "step-000005/model.safetensors"
    assert apart(load_file(found / last), load_file(whole / last)) < WEIGHTS


def test_a_mean_of_means_would_be_seen(
    model_folder: Path, tokens: list[Tokens], by_hand: Weights
) -> None:
    batch = tokens[:16]
    counts = [item.label_tokens for item in batch]
    assert max(counts) > 10 * min(counts)
    shares = [1 / 8 / (counts[i] + counts[i ^ 1]) for i in range(16)]
    assert apart(gradient(model_folder, batch, shares), by_hand) > 1000 * GRADIENT


# Two processes, as programs ------------------------------------------------------------------


@pytest.fixture(scope="module")
def call(
    tmp_path_factory: pytest.TempPathFactory,
    model_folder: Path,
    talks: list[Any],
    write_instances: Any,
    write_arrangement: Any,
) -> Callable[..., list[Any]]:
    data = tmp_path_factory.mktemp("data")
    ids = write_instances(data / "train.parquet", talks)
    write_arrangement(data / "order.parquet", ids)

    def make(folder: Path, **hardware: Any) -> list[Any]:
        return [
            *("train.py", "--model", model_folder, "--instances", data / "train.parquet"),
            *("--arrangement", data / "order.parquet", "--settings", RUN.canonical()),
            *("--template", '{"max_length":200}', "--log", folder / "log"),
            *("--hardware", json.dumps({"gpus": 2, "state_every": 1, **hardware})),
            *("--checkpoints", folder / "checkpoints", "--state", folder / "state"),
        ]

    return make


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, program: Any, start_program: Any, call: Any
) -> tuple[Path, Path, int]:
    """Run once in one piece and once, with CPU offload, with a SIGTERM between.

    Returns the folders of both, and the step at which the second stopped.
    """
    piece, cut = tmp_path_factory.mktemp("piece"), tmp_path_factory.mktemp("cut")
    with ThreadPoolExecutor(1) as pool:
        uncut = pool.submit(program, *call(piece))
        job: subprocess.Popen[bytes] = start_program(*call(cut, offload=True))
        while not list((cut / "checkpoints.partial/states").glob(f"checkpoint-*/{SEAL}")):
            assert job.poll() is None, (cut / "log").read_text()
            time.sleep(0.005)
        job.terminate()
        job.terminate()
        assert job.wait() == 143, (cut / "log").read_text()
        log = (cut / "log").read_text()
        stopped = re.findall(r"^error: stopped by SIGTERM after step (\d+); .*", log, re.M)
        assert len(set(stopped)) == 1, log
        assert {path.name for path in cut.iterdir()} == {"log", "checkpoints.partial"}
        done = program(*call(cut, offload=True))
        assert done.returncode == 0, (cut / "log").read_text()
        assert uncut.result().returncode == 0, (piece / "log").read_text()
    return piece, cut, int(stopped[0])


def test_two_processes_do_the_steps_of_one(
    model_folder: Path,
    tokens: list[Tokens],
    two: tuple[Path, Path, int],
    whole: Path,
    by_hand: Weights,
) -> None:
    found = two[0] / "checkpoints"
    assert apart(first_gradient(found), by_hand) < GRADIENT
    names = {path.name for path in whole.iterdir()}
    assert {path.name for path in found.iterdir()} == names
    assert len(names) == STEPS + 1
    for name in names:  # the tensors of one process, under the same names
        path = f"{name}/model.safetensors"
        assert apart(load_file(found / path), load_file(whole / path)) < WEIGHTS
    own, expected = (losses(model_folder, folder, tokens[:16]) for folder in (found, whole))
    assert own == pytest.approx(expected, rel=0, abs=LOSS)
    assert expected["step-000000"] - expected[f"step-{STEPS:06d}"] > 1000 * LOSS


def test_after_sigterm_two_processes_go_on_to_the_same_bytes(two: tuple[Path, Path, int]) -> None:
    piece, cut, step = two
    assert 1 <= step < STEPS
    assert f"from {cut}/checkpoints.partial/states/checkpoint-{step}\n" in (cut / "log").read_text()
    for path in piece.glob("checkpoints/*/model.safetensors"):
        assert path.read_bytes() == (cut / path.relative_to(piece)).read_bytes()
    seals = [read_seal(folder / "state") or {} for folder in (piece, cut)]
    assert {"rng_state_0.pth", "rng_state_1.pth", "optimizer.bin"} < seals[0]["sha256"].keys()
    # A resumed optimizer keeps its betas as a list in place of a tuple.
    sums = [dict(found["sha256"]) for found in seals]
    moments = [optimizer(folder / "state/optimizer.bin") for folder in (piece, cut)]
    assert moments[0] == moments[1]
    assert [found.pop("optimizer.bin") for found in sums]
    assert sums[0] == sums[1]


def optimizer(path: Path) -> dict[str, list[float]]:
    state = torch.load(path, weights_only=True)["state"]
    return {
        f"{name} {key}": tensor.flatten().tolist()
        for name, own in state.items()
        for key, tensor in own.items()
    }
