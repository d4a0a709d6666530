"""Rows of gpu.py that check results. The first row that needs a run makes it; others share it."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from gpu_setup import Setup
from random_llama import empty_tokenizer, instances, llama

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.evaluate.losses import losses
from nearfirst.hardware import TrainHardware
from nearfirst.model import load
from nearfirst.model.checkpoints import load_weights, step_folder
from nearfirst.model.device import deterministic
from nearfirst.model.precision import autocast
from nearfirst.model.template import Tokens
from nearfirst.train.batches import run_steps
from nearfirst.train.checksums import read_checksums
from nearfirst.train.resume import run_fingerprint
from nearfirst.train.segment import train_segment
from nearfirst.train.settings import TrainSettings

STEPS, CUT = 20, 10
"""Steps of a run, and the step at which a resumed run is interrupted."""


class Run(NamedTuple):
    """The last checkpoint of a run, and its last state."""

    checkpoint: Path
    state: Path


def training_loss(setup: Setup, precision: str) -> list[str]:
    """Compare the loss after training with that of a float32 run, both evaluated in float32."""
    before = _loss(setup, _base(setup))
    expected, loss = (_loss(setup, _run(setup, p).checkpoint) for p in ("float32", precision))
    return [f"{_compare_losses(loss, expected)}, {before:.4f} before"]


def evaluation_loss(setup: Setup, precision: str) -> list[str]:
    """Compare the losses of one checkpoint, evaluated in two precisions."""
    checkpoint = _run(setup, "float32").checkpoint
    return [_compare_losses(_loss(setup, checkpoint, precision), _loss(setup, checkpoint))]


def repeated(setup: Setup, exact: bool) -> list[str]:
    runs = (_run(setup, "bfloat16", exact=exact, again=again) for again in (False, True))
    return [_compare_bytes(*runs)]


def resumed(setup: Setup, precision: str, offload: bool = False) -> list[str]:
    runs = (_run(setup, precision, offload=offload, cut=cut) for cut in (False, True))
    return [_compare_bytes(*runs)]


def skipped_steps(setup: Setup, offload: bool = False) -> list[str]:
    facts = read_checksums(_run(setup, "float16", offload=offload).state)
    return [f"{(facts or {})['skipped_steps']} of {STEPS}"]


def offload(setup: Setup) -> list[str]:
    expected = _without_fsdp(setup)
    return [_compare_weights(setup, expected, _run(setup, "float32", offload=True).checkpoint)]


def two_processes(setup: Setup) -> list[str]:
    if not setup.cpu:
        return ["not possible: NCCL takes one process a card"]
    expected = _without_fsdp(setup)
    return [_compare_weights(setup, expected, _run(setup, "float32").checkpoint)]


def _run(
    setup: Setup,
    precision: str,
    *,
    exact: bool = True,
    offload: bool = False,
    cut: bool = False,
    again: bool = False,
) -> Run:
    """Return a run of the smallest model, sharded if WORLD_SIZE is above 1."""
    hardware = TrainHardware(gpus=int(os.environ.get("WORLD_SIZE", 1)), offload=offload)
    settings = TrainSettings(
        batch_size=16,
        learning_rate=3e-4,
        precision=precision,
        deterministic=exact,
        checkpoint_every=CUT,
    )
    steps = run_steps(_data(setup, STEPS * settings.batch_size), settings)
    run = run_fingerprint(settings, steps, ["base"], sharded=hardware.is_sharded())
    before = None
    for start, stop in [(0, CUT), (CUT, STEPS)] if cut else [(0, STEPS)]:
        variant = _folder(setup, precision, exact, hardware.gpus, offload, cut, again)
        folder = variant / str(start)
        checkpoints, state = folder / "checkpoints", folder / f"states/checkpoint-{stop}"
        if not read_checksums(state):
            model = load.load_model(str(_base(setup)))
            with deterministic(exact):
                checkpoints, state = train_segment(
                    model,
                    empty_tokenizer(),
                    steps,
                    settings,
                    hardware,
                    stop=stop,
                    before=before,
                    work=folder,
                    run=run,
                )
        before = state
    return Run(step_folder(checkpoints, STEPS), state)


def _folder(setup: Setup, *variant: object) -> Path:
    return setup.folder / "-".join(map(str, variant))


def _without_fsdp(setup: Setup) -> Path:
    """Return the last checkpoint of one process in float32 without FSDP."""
    folder = _folder(setup, "float32", True, 1, False, False, False)
    checkpoint = step_folder(folder / "0/checkpoints", STEPS)
    if not checkpoint.exists():
        raise InputError("no run without FSDP to compare with; section 'checks' makes it")
    return checkpoint


def _base(setup: Setup) -> Path:
    """Return the folder of the initial model, made on the CPU and so always the same."""
    folder = setup.folder / "base"
    if not folder.exists():
        torch.manual_seed(0)
        llama(setup.size("135M").shape).save_pretrained(folder)
    return folder


def _data(setup: Setup, count: int, seed: int = 0) -> list[Tokens]:
    size = setup.size("135M")
    return instances(count, size.shape["vocab_size"], size.max_length, seed)


def _loss(setup: Setup, checkpoint: Path, precision: str = "float32") -> float:
    """Return the mean loss of instances that were not trained on."""
    model = load.empty_model(str(_base(setup)))
    load_weights(model, checkpoint)
    with autocast(precision):
        values = losses(model, _data(setup, 64, seed=1), 4096)
    if not np.isfinite(values).all():
        raise InputError("the loss is not finite: the run diverged")
    return float(values.mean())


def _compare_losses(loss: float, expected: float) -> str:
    return f"{loss:.4f}; {expected:.4f} in float32: {100 * (loss / expected - 1):+.3f} %"


def _compare_bytes(*runs: Run) -> str:
    """Say whether two runs wrote the same bytes, or name the files that differ."""
    a, b = (
        {
            "checkpoint": sha256(run.checkpoint / "model.safetensors"),
            **(read_checksums(run.state) or {})["sha256"],
        }
        for run in runs
    )
    # FSDP stores Adam's betas as a list or a tuple; equal moments show in the checkpoint, CUT steps
    # later.
    differ = [k for k in {**a, **b} if a.get(k) != b.get(k) and k != "optimizer.bin"]
    return f"NO: {', '.join(differ)}" if differ else "yes"


def _compare_weights(setup: Setup, *checkpoints: Path) -> str:
    """Say how far apart the weights of two float32 runs are."""
    expected, weights, initial = (
        load.load_model(str(folder)).state_dict() for folder in (*checkpoints, _base(setup))
    )
    difference, moved = (
        max(float((expected[name] - state[name]).abs().max()) for name in expected)
        for state in (weights, initial)
    )
    return f"weights at most {difference:.1e} apart, moved by up to {moved:.1e}"
