"""Instruction tuning in a given order, in segments that can be resumed (Section A.3).

The order of the instances is the experiment: nothing here may change it, and a step holds the same
instances whatever the number of GPUs and of segments.
"""

import logging
import os
import time
from pathlib import Path
from typing import Any

import torch
from accelerate.state import PartialState  # type: ignore[import-untyped]
from accelerate.utils import DistributedType  # type: ignore[import-untyped]
from safetensors.torch import save_file
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import TRAINING_ARGS_NAME

from nearfirst.hardware import TrainHardware
from nearfirst.model import adapter, precision
from nearfirst.model.device import device, keep_freed_memory
from nearfirst.model.loss import step_loss
from nearfirst.model.tracking import NOT_TRACKED, Tracking
from nearfirst.model.trainer_log import log_progress
from nearfirst.train import fsdp
from nearfirst.train.batches import StepBatches, Steps
from nearfirst.train.hashing import HashedSaves
from nearfirst.train.resume import check_state, keep_two, last_state, prepare, save_checksums
from nearfirst.train.schedule import schedule_arguments
from nearfirst.train.settings import TrainSettings
from nearfirst.train.sigterm import StopSignal, stopped_after
from nearfirst.train.skipped import skipped_steps
from nearfirst.train.writer import SAVE_OPTIONS, CheckpointWriter

STATE_SECONDS, STATE_SHARE = 300.0, 20.0
"""Where `state_every` is null, a state is saved when the last one is older than so many seconds,
and than so many times as long as that took: the time lost stays below a twentieth."""

# It logs each file of each state.
logging.getLogger("accelerate").setLevel(logging.WARNING)


def train_segment(
    model: Any,
    tokenizer: Any,
    steps: Steps,
    settings: TrainSettings,
    hardware: TrainHardware,
    *,
    start: int,
    stop: int,
    before: Path | None,
    work: Path,
    run: str,
    tracking: Tracking = NOT_TRACKED,
) -> tuple[Path, Path]:
    """Train steps (start, stop] of a run and save its checkpoints.

    Parameters
    ----------
    model
        The base model, float32; `before`, if given, replaces its weights.
    tokenizer
        Its tokenizer, for the checkpoints.
    steps
        The instances of each step of the run.
    before
        The state at `start`; None if that is 0.
    work
        Folder that outlives a killed job: the next one resumes from its last whole state, or
        starts afresh if it belongs to another run.
    run
        What identifies the run: `resume.run_fingerprint`.
    tracking
        Where the metrics go.

    Returns
    -------
    The folders, inside `work`, of the checkpoints (`step-000010/` and so on, each a model with its
    tokenizer, as of `save_pretrained`) and of the state at `stop`.

    Raises
    ------
    InputError
        If this cannot be trained here, or the state before is damaged.
    StoppedError
        If a SIGTERM came; the state after the step at hand is saved.
    """
    states, checkpoints = work / "states", work / "checkpoints"
    arguments = _arguments(settings, hardware, states, len(steps))
    devices, sharded = int(os.environ.get("WORLD_SIZE", "1")), hardware.is_sharded()
    # The first process clears the folder before any other looks for a state.
    with arguments.main_process_first(local=False):
        if arguments.process_index == 0:
            prepare(work, run)
            if before and not last_state(work):
                check_state(before, start, sharded=sharded)
    if sharded and device().type == "cpu":
        # accelerate shards on a list of kinds of devices, and CPUs are not on it.
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    trainer = _trainer(model, steps, settings, arguments, devices)
    writer = CheckpointWriter(model, tokenizer, work) if arguments.should_save else None
    trainer.add_callback(_Segment(trainer, writer, settings, work, run, stop))
    log_progress(trainer, stop)
    begun = last_state(work)
    resume = begun or before
    if arguments.should_save:
        for callback in tracking.callbacks("train", f"{start}-{stop}", anew=not begun):
            trainer.add_callback(callback)
    logging.info(
        "steps %d to %d of %d, from %s", start, stop, len(steps), resume or "the base model"
    )
    if resume != states / f"checkpoint-{stop}":
        with precision.tf32(settings.precision):
            trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        if trainer.state.global_step < stop:
            raise stopped_after(trainer.state.global_step)
    # The first process moves the folders: wait until no other needs them.
    trainer.accelerator.wait_for_everyone()
    return checkpoints, states / f"checkpoint-{stop}"


def train_unsaved(
    model: Any, steps: Steps, settings: TrainSettings, folder: Path, callback: TrainerCallback
) -> None:
    """Train a whole run on one device and save nothing: `callback` sees the model at each step.

    `folder` is one that the Trainer may make. Raises InputError if this cannot be trained here.
    """
    arguments = _arguments(settings, TrainHardware(), folder, len(steps))
    trainer = _trainer(model, steps, settings, arguments)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(callback)
    with precision.tf32(settings.precision):
        trainer.train()
    # In bfloat16 the Trainer wraps the model's forward pass, and the next one would again.
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)


def _trainer(
    model: Any, steps: Steps, settings: TrainSettings, arguments: Any, devices: int = 1
) -> "_Trainer":
    if arguments.use_cpu:
        keep_freed_memory()
        if arguments.bf16:
            precision.train_attention_in_float32(model)
    return _Trainer(
        model=model,
        args=arguments,
        train_dataset=StepBatches(steps, settings, devices),
        data_collator=lambda items: items[0],
    )


def _arguments(
    settings: TrainSettings, hardware: TrainHardware, states: Path, total: int
) -> TrainingArguments:
    precision.check("train.precision", settings.precision)
    on_gpu, sharded = device().type == "cuda", hardware.is_sharded()
    config = {
        "cpu_offload": hardware.offload,
        "activation_checkpointing": hardware.recompute_activations,
        "state_dict_type": "FULL_STATE_DICT",
    }
    arguments = TrainingArguments(
        output_dir=str(states),
        max_steps=total,
        per_device_train_batch_size=1,  # a step, or what the device has of it
        train_sampling_strategy="sequential",
        **schedule_arguments(settings, total),
        adam_beta1=settings.beta1,
        adam_beta2=settings.beta2,
        adam_epsilon=settings.epsilon,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.gradient_clipping,
        fp16=settings.precision == "float16",
        bf16=settings.precision == "bfloat16",
        use_cpu=not on_gpu,
        # Offloaded and gathered tensors are in CPU memory, which NCCL cannot handle.
        ddp_backend="cuda:nccl,cpu:gloo" if on_gpu and sharded else None,
        fsdp=sharded,
        fsdp_config=config if sharded else None,
        activation_checkpointing=hardware.recompute_activations and not sharded,
        save_strategy="steps" if hardware.state_every else "no",
        save_steps=hardware.state_every or 500,
        logging_steps=settings.checkpoint_every,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
    )
    if sharded:
        own = fsdp.plugin_arguments(hardware, settings.precision, on_gpu=on_gpu)
        arguments.fsdp_plugin_args |= own
        fsdp.know_adapters()
    return arguments


class _Trainer(Trainer):  # type: ignore[misc]
    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> Any:
        """Add up the gradients of a step, pass by pass; return the sum of their losses."""
        *others, last = inputs["passes"]
        labels = inputs["label_tokens"].to(self.args.device)
        loss = torch.zeros((), device=self.args.device)
        with self.accelerator.no_sync(model=model):
            for batch in others:
                loss += super().training_step(model, batch, labels)
        return loss + super().training_step(model, last, labels)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return what a pass adds to the loss; gradients are means over the processes."""
        return step_loss(model, inputs, num_items_in_batch) * self.accelerator.num_processes

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with HashedSaves() as self.saves:
            super()._save_checkpoint(model, trial)

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Return 0: nothing reads it, and the Trainer would look for inputs of one pass."""
        return 0

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save the weights of a state, unless they are saved together with the optimizer's.

        They are saved by the names that they have in memory, as the Trainer reads them back. Some
        families have other names on the hub, and the Trainer skips names that it does not know.
        """
        if self.is_fsdp_enabled:
            return
        folder = Path(output_dir or self.args.output_dir)
        if adapter.has_adapter(self.model):
            folder.mkdir(parents=True, exist_ok=True)
            its = self.model.state_dict()
            trained = {name: its[name] for name in adapter.saved_names(its)}
            save_file(trained, folder / "model.safetensors", metadata={"format": "pt"})
        else:
            self.model.save_pretrained(folder, **SAVE_OPTIONS)
        self.saves.add(folder / "model.safetensors")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint and self.is_fsdp_enabled and self.accelerator.scaler:
            fsdp.load_scaler(self.accelerator, Path(checkpoint))
        super()._load_optimizer_and_scheduler(checkpoint)


class _Segment(TrainerCallback):  # type: ignore[misc]
    """Saves the weights every so many steps and stops at the end of the segment."""

    def __init__(
        self,
        trainer: Any,
        writer: CheckpointWriter | None,
        settings: TrainSettings,
        work: Path,
        run: str,
        stop: int,
    ) -> None:
        self.trainer, self.writer, self.run, self.stop = trainer, writer, run, stop
        self.checkpoints = work / "checkpoints"
        self.every = settings.checkpoint_every
        self.dtype = getattr(torch, settings.checkpoint_dtype)
        self.signal = StopSignal()
        self.saved, self.saving = time.monotonic(), 0.0
        self.skipped = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.skipped = skipped_steps(self.trainer.optimizer, state.global_step)
        if state.global_step == 0:
            self._save(0)
        self.saved = time.monotonic()
        self.signal.listen()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        step = state.global_step
        if args.fp16:
            self._count_skipped(args, step)
        if step % self.every == 0 or step == state.max_steps:
            self._save(step)
        stop, save = self._of_any(args, self.signal.received, self._state_is_due(args))
        if stop or step == self.stop:
            control.should_training_stop = True
        if stop or save or step == self.stop:
            control.should_save = True
        self.step_end = time.monotonic()
        return control

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # The history is part of the state, and its mean losses depend on where the job began.
        state.log_history.clear()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.trainer.accelerator.wait_for_everyone()  # each writes its part of the state
        if self.writer:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            # A pickle that nothing reads.
            (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
            self.writer.wait()  # the state counts on the checkpoints up to it
            sums = self.trainer.saves.sums | self.writer.sums
            save_checksums(folder, self.checkpoints, self.run, sums, self.skipped)
            keep_two(folder.parent)
        self.saved = time.monotonic()
        self.saving = self.saved - self.step_end

    def _count_skipped(self, args: Any, step: int) -> None:
        before, self.skipped = self.skipped, skipped_steps(self.trainer.optimizer, step)
        if self.skipped > before and args.should_save:
            logging.warning(
                "step %d: the gradients overflowed in float16, so it was skipped and the scale of "
                "the loss halved; %d skipped so far",
                *(step, self.skipped),
            )

    def _state_is_due(self, args: Any) -> bool:
        """Return whether to save a state now, where no number of steps says so."""
        age = time.monotonic() - self.saved
        return args.save_strategy == "no" and age > max(STATE_SECONDS, STATE_SHARE * self.saving)

    def _of_any(self, args: Any, *noted: bool) -> list[bool]:
        """Return what any process has noted: all stop, or save, after the same step."""
        if args.world_size == 1:
            return list(noted)
        found = torch.tensor(noted, dtype=torch.int32, device=args.device)
        torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
        return [bool(each) for each in found.tolist()]

    def _save(self, step: int) -> None:
        # With FSDP every process takes part in gathering the weights, and the first one writes.
        trainer = self.trainer
        model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
        if trainer.is_fsdp_enabled and adapter.has_adapter(model):
            weights = fsdp.adapter_weights(trainer.model_wrapped)
        else:
            weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        if self.writer:
            if adapter.has_adapter(model):
                names = adapter.saved_names(weights)
                weights = {saved: weights[name] for name, saved in names.items()}
            else:
                # A tied tensor is written once; copied, it would be a tensor of its own.
                tied = model.all_tied_weights_keys
                weights = {name: tensor for name, tensor in weights.items() if name not in tied}
            self.writer.save(step, weights, self.dtype)
