"""Instruction tuning in a given order, in segments that can be resumed (Section A.3).

The order of the instances is the experiment: nothing here may reorder them, and neither the number
of GPUs nor the cut into segments changes what a step holds.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from nearfirst.errors import InputError
from nearfirst.progress import log_progress
from nearfirst.settings.hardware import TrainHardware
from nearfirst.settings.training import TrainSettings
from nearfirst.template import IGNORED, Tokens

_WHOLE = "whole"  # marks a resumable state that was written to its end


def total_steps(instances: int, settings: TrainSettings) -> int:
    """Return the optimizer steps of a whole run; the last one may hold fewer instances.

    Raises
    ------
    InputError
        If the arrangement does not hold enough instances.
    """
    most = -(-instances // settings.batch_size)
    if settings.steps == "epoch":
        return most
    if settings.steps > most:
        raise InputError(
            f"train.steps: {settings.steps} steps of {settings.batch_size} need more than the "
            f"{instances} instances of the arrangement; the largest number of steps is {most}"
        )
    return settings.steps


def check_labels(tokens: Sequence[Tokens], settings: TrainSettings) -> int:
    """Return how many instances truncation left without a label.

    They keep their place, so that a step holds what the arrangement says, and add no loss.

    Raises
    ------
    InputError
        If a whole step holds no label: its loss does not exist.
    """
    bare = [item.label_tokens == 0 for item in tokens]
    for start in range(0, len(bare), settings.batch_size):
        if all(bare[start : start + settings.batch_size]):
            raise InputError(
                f"step {start // settings.batch_size + 1} holds no answer within "
                "template.max_length tokens; raise template.max_length"
            )
    return sum(bare)


def pad(batch: Sequence[Tokens]) -> dict[str, torch.Tensor]:
    """Pad on the right. Attention is causal, so no position sees the padding: no mask is needed."""
    width = max(len(item.ids) for item in batch)
    ids = np.zeros((len(batch), width), dtype=np.int64)
    labels = np.full((len(batch), width), IGNORED, dtype=np.int64)
    for row, item in enumerate(batch):
        ids[row, : len(item.ids)] = item.ids
        labels[row, : len(item.labels)] = item.labels
    return {"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels)}


def _whole_steps(tokens: Sequence[Tokens], batch_size: int) -> list[Tokens]:
    """Fill the last step with items that carry no label.

    Otherwise accelerate fills it up for the second process with the first instances of the run.
    """
    blank = Tokens(tokens[0].ids[:1], np.full(1, IGNORED, dtype=np.int64))
    return [*tokens, *[blank] * (-len(tokens) % batch_size)]


def step_folder(folder: Path, step: int) -> Path:
    """Return the folder of a step's checkpoint."""
    return folder / f"step-{step:06d}"


def train_segment(
    model: Any,
    tokens: Sequence[Tokens],
    settings: TrainSettings,
    hardware: TrainHardware,
    *,
    start: int,
    stop: int | None,
    before: Path | None,
    work: Path,
    origin: Sequence[str],
) -> tuple[Path, Path]:
    """Train steps (start, stop] of a run and save its checkpoints.

    Parameters
    ----------
    model
        The base model, float32; its weights are replaced if `before` is given.
    tokens
        All instances of the run, in order.
    settings, hardware
        What to train, and on what.
    start, stop
        The segment; a `stop` of None is the end of the run.
    before
        The state at `start`; None if that is 0.
    work
        Folder that outlives a killed job: the next one goes on from its last whole state, or
        starts afresh if it is of another run.
    origin
        Where the run begins, to know it by: base model, revision, state before.

    Returns
    -------
    checkpoints, state
        Folder of the checkpoints (`step-000010/` and so on, each a `save_pretrained` folder) and
        of the state at `stop`, both inside `work`.
    """
    total = total_steps(len(tokens), settings)
    stop = total if stop is None else min(stop, total)
    states, checkpoints = work / "states", work / "checkpoints"
    devices = int(os.environ.get("WORLD_SIZE", "1"))
    micro = max(1, min(settings.micro_batch_size, settings.batch_size // devices))
    if settings.batch_size % (micro * devices):
        raise InputError(
            f"hardware.train.gpus: {devices} GPUs with micro-batches of {micro} cannot make up "
            f"batch_size {settings.batch_size} exactly"
        )
    on_gpu = torch.cuda.is_available()
    if settings.precision == "float16" and not on_gpu:
        raise InputError("train.precision: float16 needs a GPU; use float32 on a CPU")
    arguments = TrainingArguments(
        output_dir=str(states),
        max_steps=total,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=settings.batch_size // (micro * devices),
        train_sampling_strategy="sequential",
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        adam_beta1=settings.beta1,
        adam_beta2=settings.beta2,
        adam_epsilon=settings.epsilon,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.gradient_clipping,
        fp16=settings.precision == "float16",
        use_cpu=not on_gpu,
        fsdp=on_gpu and devices > 1,
        fsdp_config={
            "cpu_offload": hardware.offload,
            "activation_checkpointing": hardware.recompute_activations,
            "state_dict_type": "FULL_STATE_DICT",
        }
        if on_gpu and devices > 1
        else None,
        activation_checkpointing=hardware.recompute_activations and devices == 1,
        save_steps=hardware.state_every,
        save_total_limit=2,
        logging_steps=settings.checkpoint_every,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
    )
    # The first process clears a folder of another run before any other looks into it.
    with arguments.main_process_first(local=False):
        if arguments.process_index == 0:
            _claim(work, _identity(settings, tokens, origin))
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=_whole_steps(tokens, settings.batch_size),
        data_collator=pad,
    )
    dtype = getattr(torch, settings.checkpoint_dtype)
    trainer.add_callback(_Segment(trainer, checkpoints, settings.checkpoint_every, dtype, stop))
    log_progress(trainer, stop)
    resume = _last_whole(states) or before
    logging.info("steps %d to %d of %d, from %s", start, stop, total, resume or "the base model")
    if resume is None or _step_of(resume) < stop:
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    # The first process moves the folders: every other must have written its part of the state.
    trainer.accelerator.wait_for_everyone()
    return checkpoints, states / f"checkpoint-{stop}"


def _claim(work: Path, identity: str) -> None:
    """Make `work` the folder of the run with this identity; one of another run is removed."""
    note = work / "identity"
    if work.exists() and not (note.is_file() and note.read_text() == identity):
        logging.info("%s is of another run: removed", work)
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(identity)
    (work / "checkpoints").mkdir(exist_ok=True)


def _identity(settings: TrainSettings, tokens: Sequence[Tokens], origin: Sequence[str]) -> str:
    """Return what makes a run this run: settings, instances in order, and where it begins."""
    digest = hashlib.sha256(settings.canonical().encode())
    for item in tokens:
        digest.update(item.ids.tobytes() + b"|" + item.labels.tobytes() + b"\n")
    for name in origin:
        digest.update(name.encode())
        for path in sorted(file for file in Path(name).rglob("*") if file.is_file()):
            status = path.stat()  # of weights, size and time must do: hashing 27 GB takes minutes
            digest.update(json.dumps([path.name, status.st_size, status.st_mtime_ns]).encode())
    return digest.hexdigest()


def _step_of(state: Path) -> int:
    return int(json.loads((state / "trainer_state.json").read_text())["global_step"])


def _last_whole(states: Path) -> Path | None:
    whole = [path.parent for path in states.glob(f"checkpoint-*/{_WHOLE}")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


class _Segment(TrainerCallback):  # type: ignore[misc]
    """Saves the weights every so many steps and stops at the end of the segment."""

    def __init__(
        self, trainer: Any, folder: Path, every: int, dtype: torch.dtype, stop: int
    ) -> None:
        self.trainer, self.folder, self.every = trainer, folder, every
        self.dtype, self.stop = dtype, stop

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 0:
            self._save(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        step = state.global_step
        if step % self.every == 0 or step == state.max_steps:
            self._save(step)
        if step == self.stop:
            control.should_save = control.should_training_stop = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if args.should_save:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _WHOLE).touch()

    def _save(self, step: int) -> None:
        # With FSDP every process takes part in gathering the weights, and the first one writes.
        weights = self.trainer.accelerator.get_state_dict(self.trainer.model_wrapped)
        if self.trainer.args.should_save:
            model = self.trainer.accelerator.unwrap_model(self.trainer.model_wrapped)
            # A tied tensor is written once; in another number format it would be a second one.
            tied = model.all_tied_weights_keys
            weights = {
                name: tensor.to(self.dtype) for name, tensor in weights.items() if name not in tied
            }
            model.save_pretrained(
                step_folder(self.folder, step), state_dict=weights, max_shard_size="1TB"
            )
