"""Rows of gpu.py about results. A run is made for the first row that needs it, and kept."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from gpu_given import MAX_LENGTH, Given
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


def trained(setup: Given, precision: str) -> list[str]:
    """Compare a run with one in float32, both evaluated in float32."""
    before = _loss(setup, _base(setup))
    exact, loss = (_loss(setup, _run(setup, p).checkpoint) for p in ("float32", precision))
    return [f"{_compare_losses(loss, exact)}, {before:.4f} before"]


def evaluated(setup: Given, precision: str) -> list[str]:
    """Compare the losses of one checkpoint."""
    checkpoint = _run(setup, "float32").checkpoint
    return [_compare_losses(_loss(setup, checkpoint, precision), _loss(setup, checkpoint))]


def twice(setup: Given, exact: bool) -> list[str]:
    runs = (_run(setup, "bfloat16", exact=exact, again=again) for again in (False, True))
    return [_compare_bytes(*runs)]


def resumed(setup: Given, precision: str, offload: bool = False) -> list[str]:
    runs = (_run(setup, precision, offload=offload, cut=cut) for cut in (False, True))
    return [_compare_bytes(*runs)]


def skipped(setup: Given, offload: bool = False) -> list[str]:
    facts = read_checksums(_run(setup, "float16", offload=offload).state)
    return [f"{(facts or {})['skipped_steps']} of {STEPS}"]


def offloaded(setup: Given) -> list[str]:
    plain = _plain(setup)
    return [_compare_weights(setup, plain, _run(setup, "float32", offload=True).checkpoint)]


def two_processes(setup: Given) -> list[str]:
    if not setup.cpu:
        return ["not possible: NCCL takes one process a card"]
    plain = _plain(setup)
    return [_compare_weights(setup, plain, _run(setup, "float32").checkpoint)]


def _run(
    setup: Given,
    precision: str,
    *,
    exact: bool = True,
    offload: bool = False,
    cut: bool = False,
    again: bool = False,
) -> Run:
    """Return a run of the smallest model, sharded if torchrun's WORLD_SIZE is above 1."""
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
        work = _work(setup, precision, exact, hardware.gpus, offload, cut, again) / str(start)
        checkpoints, state = work / "checkpoints", work / f"states/checkpoint-{stop}"
        if not read_checksums(state):
            model = load.load_model(str(_base(setup)))
            with deterministic(exact):
                checkpoints, state = train_segment(
                    model,
                    empty_tokenizer(),
                    steps,
                    settings,
                    hardware,
                    start=start,
                    stop=stop,
                    before=before,
                    work=work,
                    run=run,
                )
        before = state
    return Run(step_folder(checkpoints, STEPS), state)


def _work(setup: Given, *variant: object) -> Path:
    return setup.folder / "-".join(map(str, variant))


def _plain(setup: Given) -> Path:
    """Return the last checkpoint of one process in float32 without FSDP."""
    work = _work(setup, "float32", True, 1, False, False, False)
    checkpoint = step_folder(work / "0/checkpoints", STEPS)
    if not checkpoint.exists():
        raise InputError("no run without FSDP to compare with; section 'checks' makes it")
    return checkpoint


def _base(setup: Given) -> Path:
    """Return the folder of the initial model, made on the CPU, so always the same."""
    folder = setup.folder / "base"
    if not folder.exists():
        torch.manual_seed(0)
        llama(setup.size("135M").shape).save_pretrained(folder)
    return folder


def _data(setup: Given, count: int, seed: int = 0) -> list[Tokens]:
    vocabulary = setup.size("135M").shape["vocab_size"]
    return instances(count, vocabulary, setup.count(MAX_LENGTH, 64), seed)


def _loss(setup: Given, checkpoint: Path, precision: str = "float32") -> float:
    """Return the mean loss of instances that were not trained on."""
    model = load.empty_model(str(_base(setup)))
    load_weights(model, checkpoint)
    with autocast(precision):
        values = losses(model, _data(setup, 64, seed=1), 4096)
    if not np.isfinite(values).all():
        raise InputError("the loss is not finite: the run diverged")
    return float(values.mean())


def _compare_losses(loss: float, exact: float) -> str:
    return f"{loss:.4f}; {exact:.4f} in float32: {100 * (loss / exact - 1):+.3f} %"


def _compare_bytes(*runs: Run) -> str:
    """Say whether two runs have written the same bytes, or name the files that differ."""
    a, b = (
        {
            "checkpoint": sha256(run.checkpoint / "model.safetensors"),
            **(read_checksums(run.state) or {})["sha256"],
        }
        for run in runs
    )
    # FSDP stores Adam's betas as a list or a tuple; equal moments show in the checkpoint, CUT steps
    # later.
    wrong = [k for k in {**a, **b} if a.get(k) != b.get(k) and k != "optimizer.bin"]
    return f"NO: {', '.join(wrong)}" if wrong else "yes"


def _compare_weights(setup: Given, plain: Path, checkpoint: Path) -> str:
    """Say how much the weights of two float32 runs differ."""
    expected, weights, initial = (
        load.load_model(str(folder)).state_dict() for folder in (plain, checkpoint, _base(setup))
    )
    difference, moved = (
        max(float((expected[name] - state[name]).abs().max()) for name in expected)
        for state in (weights, initial)
    )
    return f"weights at most {difference:.1e} apart, moved by up to {moved:.1e}"
