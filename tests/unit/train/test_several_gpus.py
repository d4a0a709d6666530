"""A step is the same in two processes as in one; test_segment.py compares that with a loop by hand.

The processes run on CPUs as on several GPUs, or on one with offload, including sharding.
"""

import json
import re
import signal
import socket
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from programs import Running, command, wait_until
from safetensors.torch import load_file
from training import alternate_lengths, difference, train, weights

from nearfirst.common.errors import InputError
from nearfirst.hardware import TrainHardware
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.template import Tokens, encode
from nearfirst.train import job, torchrun
from nearfirst.train.checksums import CHECKSUMS, read_checksums
from nearfirst.train.settings import TrainSettings

RUN = TrainSettings(
    learning_rate=0.1,
    epsilon=1.0,
    gradient_clipping=1e9,
    batch_size=16,
    micro_batch_tokens=200,
    checkpoint_every=1,
)
STEPS = 8
# Rounding only: sums in another order. The weights are about 0.02.
TOLERANCE = 1e-6

pytestmark = pytest.mark.usefixtures("warm_processes")


@pytest.fixture(scope="module")
def talks(some_talks: Any) -> list[Any]:
    """Pairs of short and long answers alternate: one process gets all of the long ones."""
    talks: list[Any] = some_talks(16 * STEPS - 3)
    alternate_lengths(talks)
    return talks


@pytest.fixture(scope="module")
def tokens(talks: list[Any], tokenizer: Any) -> list[Tokens]:
    return encode(talks, tokenizer, 200)


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, tokens: list[Tokens]
) -> Path:
    """The checkpoints of one process that computes a step in one pass."""
    settings = RUN.model_copy(update={"micro_batch_tokens": 3200})
    return train(model_folder, tokens, settings, tmp_path_factory.mktemp("whole"))[0]


@pytest.fixture(scope="module")
def call(talks: list[Any], train_arguments: Any) -> Callable[..., list[str]]:
    def make(folder: Path, **hardware: Any) -> list[str]:
        flags = {"settings": RUN.canonical(), "template": '{"max_length":200}'}
        flags["hardware"] = json.dumps({"gpus": 2, "state_every": 1, **hardware})
        return command(*train_arguments(folder, talks, **flags))

    return make


def log(folder: Path) -> str:
    return (folder / "log").read_text()


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, warm_processes: None, call: Callable[..., list[str]]
) -> tuple[Path, Path, int]:
    """Two processes run once in one piece and once with CPU offload and a SIGTERM in between.

    Returns the folders of both runs, and the step at which the second stopped.
    """
    piece, cut = tmp_path_factory.mktemp("piece"), tmp_path_factory.mktemp("cut")
    uncut = Running(call(piece))
    job = Running(call(cut, offload=True))
    states = cut / "checkpoints.partial/states"
    wait_until(lambda: list(states.glob(f"checkpoint-*/{CHECKSUMS}")), "a state")
    job.terminate()
    job.terminate()
    assert job.wait() == 143, log(cut)
    stopped = re.findall(r"^error: stopped by SIGTERM after step (\d+); .*", log(cut), re.M)
    assert len(set(stopped)) == 1, log(cut)
    assert {path.name for path in cut.iterdir()} == {"log", "checkpoints.partial"}
    assert Running(call(cut, offload=True)).wait() == 0, log(cut)
    assert uncut.wait() == 0, log(piece)
    return piece, cut, int(stopped[0])


def test_two_processes_do_the_steps_of_one(two: tuple[Path, Path, int], whole: Path) -> None:
    checkpoints = two[0] / "checkpoints"
    names = {path.name for path in whole.iterdir()}
    assert len(names) == STEPS + 1
    assert {path.name for path in checkpoints.iterdir()} == names | {"run.json"}
    for step in range(STEPS + 1):  # the tensors of one process, under the same names
        assert difference(weights(checkpoints, step), weights(whole, step)) < TOLERANCE


def test_offload_on_one_gpu_is_sharded_and_does_the_same_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., list[str]], whole: Path
) -> None:
    monkeypatch.setenv("WATCHED", str(tmp_path / "watched"))
    flags: list[str] = []
    for name in ("first", "rest"):
        (tmp_path / name).mkdir()
        python, _, *words = call(tmp_path / name, gpus=1, offload=True, state_every=50)
        program = str(Path(__file__).parents[2] / "helpers/watch_fsdp.py")
        stop = ["--stop", "4"] if name == "first" else []
        job = Running([python, program, *words, *stop, *flags])
        assert job.wait() == 0, log(tmp_path / name)
        flags = ["--state-before", str(tmp_path / name / "state")]
    assert (tmp_path / "rest/state/optimizer.bin").is_file()  # FSDP's format
    for step in range(STEPS + 1):
        part = tmp_path / ("first" if step <= 4 else "rest") / "checkpoints"
        assert difference(weights(part, step), weights(whole, step)) < TOLERANCE
    watched = [json.loads(line) for line in (tmp_path / "watched").read_text().splitlines()]
    # Each pass leaves its gradients in the shards, so that the GPU never holds all of them.
    passes = [line for line in watched if isinstance(line, list)]
    assert passes.count([False]) == STEPS
    assert passes.count([True]) == len(passes) - STEPS > STEPS
    # Nor does it hold a whole state, which may be larger than the GPU.
    states = [part for line in watched if isinstance(line, dict) for part in line.items()]
    names = {
        f"{verb}_{part}_state_dict" for verb in ("get", "set") for part in ("model", "optimizer")
    }
    assert set(states) == {(name, True) for name in names}


def test_more_processes_than_gpus_are_refused_before_they_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torchrun, "launch", lambda _: pytest.fail("it was started"))
    hardware = TrainHardware(gpus=2)
    with pytest.raises(InputError, match=r"hardware\.train\.gpus: 2 GPUs requested, but 1 visible"):
        job.run(Namespace(checkpoints=tmp_path / "0-end", hardware=hardware, log=None))
    assert not list(tmp_path.iterdir())


def test_processes_find_each_other_where_the_name_of_the_machine_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    program = tmp_path / "program.py"
    program.write_text(
        "import torch\n"
        "torch.distributed.init_process_group('gloo')\n"
        f"open({str(tmp_path / 'done')!r}, 'w')\n"
    )
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "nowhere.invalid")
    monkeypatch.setattr(sys, "argv", [str(program)])
    try:
        torchrun.launch(1)
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert (tmp_path / "done").exists()
    assert not list(temporary.iterdir())


def test_an_interrupt_ends_a_process_that_waits_for_a_gpu(tmp_path: Path) -> None:
    # Python does not act on signals within this sum, as within a wait for a GPU.
    program = tmp_path / "program.py"
    program.write_text(
        "from nearfirst.train.torchrun import end_with_launcher\n"
        "end_with_launcher()\n"
        "print('waiting', flush=True)\n"
        "sum(range(10**12))\n"
    )
    process = Running([sys.executable, str(program)])
    wait_until(lambda: process.printed.read_text() == "waiting\n", "the program")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == -signal.SIGINT


def test_gpus_wait_for_the_first_while_it_reads_or_writes_a_large_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_folder: Path, tokens: list[Tokens]
) -> None:
    given: dict[str, Any] = {}

    def start(**arguments: Any) -> None:
        given.update(arguments)
        raise ConnectionError

    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.distributed, "init_process_group", start)
    with pytest.raises(ConnectionError):
        train(model_folder, tokens, RUN, tmp_path, gpus=2)
    assert given["backend"] == "cuda:nccl,cpu:gloo"
    # 81 GB for LLaMA-2-7B, read twice at the speed for which a SIGTERM leaves time.
    assert given["timeout"].total_seconds() > 2 * torchrun.GRACE


def test_variables_of_another_launcher_make_no_process_of_torchrun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., list[str]]
) -> None:
    # Kubeflow and some batch scripts set them.
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "PET_NNODES"):
        monkeypatch.setenv(name, "2")
    for gpus in (1, 2):
        folder = tmp_path / str(gpus)
        assert Running([*call(folder, gpus=gpus), "--stop", "1"]).wait() == 0
        assert "steps 0 to 1 of" in log(folder)
        assert (folder / "checkpoints/step-000001").is_dir()


def test_after_sigterm_two_processes_resume_to_the_same_bytes(two: tuple[Path, Path, int]) -> None:
    piece, cut, step = two
    assert 1 <= step < STEPS
    assert f"from {cut}/checkpoints.partial/states/checkpoint-{step}\n" in log(cut)
    for path in piece.glob("checkpoints/*/model.safetensors"):
        assert path.read_bytes() == (cut / path.relative_to(piece)).read_bytes()
    sums = [dict((read_checksums(folder / "state") or {})["sha256"]) for folder in (piece, cut)]
    assert {"rng_state_0.pth", "rng_state_1.pth", "optimizer.bin"} < sums[0].keys()
    # A resumed optimizer has its betas as a list instead of a tuple.
    moments = [optimizer(folder / "state/optimizer.bin") for folder in (piece, cut)]
    assert moments[0] == moments[1]
    assert all(each.pop("optimizer.bin") for each in sums)
    assert sums[0] == sums[1]


def test_adapters_on_two_processes_resume_to_the_same_bytes(
    tmp_path: Path, call: Callable[..., list[str]], model_folder: Path, tokens: list[Tokens]
) -> None:
    settings = RUN.model_copy(update={"adapter": AdapterSettings(rank=2, alpha=4)})

    def start(name: str, *flags: Any, **hardware: Any) -> Running:
        (tmp_path / name).mkdir()
        flags = ("--settings", settings.canonical(), "--stop", *flags)
        return Running([*call(tmp_path / name, **hardware), *map(str, flags)])

    whole = start("whole", 4)
    job = start("first", 2, offload=True, recompute_activations=True)
    assert job.wait() == 0, log(tmp_path / "first")
    before = ("--state-before", tmp_path / "first/state")
    assert start("rest", 4, *before, offload=True).wait() == 0, log(tmp_path / "rest")
    assert whole.wait() == 0, log(tmp_path / "whole")
    single, _ = train(model_folder, tokens, settings, tmp_path / "single", stop=4)
    for step in range(5):
        name = f"step-{step:06d}/adapter_model.safetensors"
        path = tmp_path / "whole/checkpoints" / name
        cut = tmp_path / ("first" if step <= 2 else "rest") / "checkpoints" / name
        assert path.read_bytes() == cut.read_bytes()
        assert difference(load_file(path), load_file(single / name)) < TOLERANCE
    first = load_file(single / "step-000000/adapter_model.safetensors")
    assert difference(load_file(path), first) > 100 * TOLERANCE


def optimizer(path: Path) -> dict[str, list[float]]:
    state = torch.load(path, weights_only=True)["state"]
    return {
        f"{name} {key}": tensor.flatten().tolist()
        for name, moments in state.items()
        for key, tensor in moments.items()
    }
