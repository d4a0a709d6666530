"""Rows of gpu.py on what is computed. A run is made for the first row that needs it, and kept."""

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
"""Steps of a run, and where one that resumes is cut."""


class Run(NamedTuple):
    """The last checkpoint of a run, and its last state."""

    checkpoint: Path
    state: Path


def trained(given: Given, precision: str) -> list[str]:
    """Compare a run with one in float32, both evaluated in float32."""
    before = _loss(given, _base(given))
    exact, found = (_loss(given, _run(given, its).checkpoint) for its in ("float32", precision))
    return [f"{_compared(found, exact)}, {before:.4f} before"]


def evaluated(given: Given, precision: str) -> list[str]:
    """Compare the losses of one checkpoint."""
    checkpoint = _run(given, "float32").checkpoint
    return [_compared(_loss(given, checkpoint, precision), _loss(given, checkpoint))]


def twice(given: Given, exact: bool) -> list[str]:
    runs = (_run(given, "bfloat16", exact=exact, again=again) for again in (False, True))
    return [_same(*runs)]


def resumed(given: Given, precision: str, offload: bool = False) -> list[str]:
    runs = (_run(given, precision, offload=offload, cut=cut) for cut in (False, True))
    return [_same(*runs)]


def skipped(given: Given, offload: bool = False) -> list[str]:
    facts = read_checksums(_run(given, "float16", offload=offload).state)
    return [f"{(facts or {})['skipped_steps']} of {STEPS}"]


def offloaded(given: Given) -> list[str]:
    plain = _plain(given)
    return [_apart(given, plain, _run(given, "float32", offload=True).checkpoint)]


def two_processes(given: Given) -> list[str]:
    if not given.cpu:
        return ["not possible: NCCL takes one process a card"]
    plain = _plain(given)
    return [_apart(given, plain, _run(given, "float32").checkpoint)]


def _run(
    given: Given,
    precision: str,
    *,
    exact: bool = True,
    offload: bool = False,
    cut: bool = False,
    again: bool = False,
) -> Run:
    """Return a run of the smallest model; sharded if there is a world, as of torchrun."""
    hardware = TrainHardware(gpus=int(os.environ.get("WORLD_SIZE", 1)), offload=offload)
    settings = TrainSettings(
        batch_size=16,
        learning_rate=3e-4,
        precision=precision,
        deterministic=exact,
        checkpoint_every=CUT,
    )
    steps = run_steps(_data(given, STEPS * settings.batch_size), settings)
    run = run_fingerprint(settings, steps, ["base"], sharded=hardware.is_sharded())
    before = None
    for start, stop in [(0, CUT), (CUT, STEPS)] if cut else [(0, STEPS)]:
        work = _work(given, precision, exact, hardware.gpus, offload, cut, again) / str(start)
        checkpoints, state = work / "checkpoints", work / f"states/checkpoint-{stop}"
        if not read_checksums(state):
            model = load.load_model(str(_base(given)))
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


def _work(given: Given, *variant: object) -> Path:
    return given.folder / "-".join(map(str, variant))


def _plain(given: Given) -> Path:
    """Return the last checkpoint of one process in float32 without FSDP."""
    work = _work(given, "float32", True, 1, False, False, False)
    found = step_folder(work / "0/checkpoints", STEPS)
    if not found.exists():
        raise InputError("no run without FSDP to compare with; section 'checks' makes it")
    return found


def _base(given: Given) -> Path:
    """Return the folder of the model that all begin with: made on the CPU, so always the same."""
    folder = given.folder / "base"
    if not folder.exists():
        torch.manual_seed(0)
        llama(given.size("135M").shape).save_pretrained(folder)
    return folder


def _data(given: Given, count: int, seed: int = 0) -> list[Tokens]:
    vocabulary = given.size("135M").shape["vocab_size"]
    return instances(count, vocabulary, given.count(MAX_LENGTH, 64), seed)


def _loss(given: Given, checkpoint: Path, precision: str = "float32") -> float:
    """Return the mean loss of instances that were not trained on."""
    model = load.empty_model(str(_base(given)))
    load_weights(model, checkpoint)
    with autocast(precision):
        found = losses(model, _data(given, 64, seed=1), 4096)
    if not np.isfinite(found).all():
        raise InputError("the loss is not finite: the run diverged")
    return float(found.mean())


def _compared(found: float, exact: float) -> str:
    return f"{found:.4f}; {exact:.4f} in float32: {100 * (found / exact - 1):+.3f} %"


def _same(one: Run, other: Run) -> str:
    """Say whether two runs have written the same bytes, or name the files that differ."""
    ours, theirs = (
        {
            "checkpoint": sha256(run.checkpoint / "model.safetensors"),
            **(read_checksums(run.state) or {})["sha256"],
        }
        for run in (one, other)
    )
    # FSDP's holds Adam's betas as a list or as a tuple. That the moments are the same shows in the
    # checkpoint, CUT steps later.
    wrong = [k for k in {**ours, **theirs} if ours.get(k) != theirs.get(k) and k != "optimizer.bin"]
    return f"NO: {', '.join(wrong)}" if wrong else "yes"


def _apart(given: Given, plain: Path, checkpoint: Path) -> str:
    """Say how far the weights of two runs in float32 are apart."""
    one, other, before = (
        load.load_model(str(folder)).state_dict() for folder in (plain, checkpoint, _base(given))
    )
    apart, moved = (
        max(float((one[name] - its[name]).abs().max()) for name in one) for its in (other, before)
    )
    return f"weights at most {apart:.1e} apart, moved by up to {moved:.1e}"
