"""Instruction tuning in a given order, in segments that can be resumed (Section A.3).

The order of the instances is the experiment: nothing here may change it, and a step holds the same
instances for any number of GPUs and segments.
"""

import logging
import signal
import time
from pathlib import Path
from typing import Any

import torch
from accelerate.state import PartialState  # type: ignore[import-untyped]
from accelerate.utils import DistributedType  # type: ignore[import-untyped]
from safetensors.torch import save_file
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from nearfirst.common.errors import InputError
from nearfirst.hardware import TrainHardware
from nearfirst.model import adapter, precision
from nearfirst.model.device import device, keep_freed_memory
from nearfirst.model.loss import step_loss
from nearfirst.model.tracking import NOT_TRACKED, Tracking
from nearfirst.model.trainer_log import log_progress
from nearfirst.train import fsdp
from nearfirst.train.batches import StepBatches, Steps, pass_cost
from nearfirst.train.checksums import read_checksums
from nearfirst.train.hashing import HashedSaves
from nearfirst.train.rates import schedule_arguments
from nearfirst.train.resume import check_state, keep_two, last_state, prepare, save_checksums
from nearfirst.train.settings import TrainSettings
from nearfirst.train.torchrun import PATIENCE, StoppedError
from nearfirst.train.writer import SAVE_OPTIONS, CheckpointWriter

STATE_SECONDS, STATE_SHARE = 300.0, 20.0
"""With `state_every: null`, a state is saved once the last one is older than this many seconds and
this many times the time that saving it took: at most a twentieth of the time goes into states."""

# accelerate logs every file of every state.
logging.getLogger("accelerate").setLevel(logging.WARNING)


def train_segment(
    model: Any,
    tokenizer: Any,
    steps: Steps,
    settings: TrainSettings,
    hardware: TrainHardware,
    *,
    stop: int,
    before: Path | None,
    work: Path,
    run: str,
    tracking: Tracking = NOT_TRACKED,
) -> tuple[Path, Path]:
    """Train the steps of a run from a state to the step `stop`, and save its checkpoints.

    `model` is the base model, float32; `before`, the state of the segment before (None for the
    first), replaces its weights. `run` is the run's `resume.run_fingerprint`. `work` outlives a
    killed job: the next job resumes from its last complete state, or starts afresh if the folder
    belongs to another run.

    Returns two folders inside `work`: the checkpoints (`step-000010/` and so on, each as written by
    `save_pretrained`, with the tokenizer), and the state at `stop`. Raises InputError if the model
    cannot be trained here, `before` is damaged, or a loss is not finite; StoppedError after a
    SIGTERM, once the state after the current step is saved.
    """
    states, checkpoints = work / "states", work / "checkpoints"
    arguments = _arguments(settings, hardware, states, len(steps))
    sharded = hardware.is_sharded()
    # The first process clears the folder before any other looks for a state.
    with arguments.main_process_first(local=False):
        if arguments.process_index == 0:
            prepare(work, run)
            if before and not last_state(work):
                check_state(before, sharded=sharded)
    if sharded and device().type == "cpu":
        # accelerate shards only on a fixed list of device types, which lacks CPUs.
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    passes = StepBatches(steps, settings, arguments.world_size, pass_cost(hardware))
    trainer = _trainer(model, passes, arguments)
    if hardware.offload and trainer.accelerator.scaler:
        fsdp.scale_on_cpu(trainer.accelerator.scaler)
    writer = CheckpointWriter(model, tokenizer, work) if arguments.should_save else None
    trainer.add_callback(_Segment(trainer, writer, settings, work, run, stop))
    log_progress(trainer, stop)
    own_state = last_state(work)
    state = own_state or before
    start = (read_checksums(before) or {"step": 0})["step"] if before else 0
    if arguments.should_save:
        for callback in tracking.callbacks("train", f"{start}-{stop}", fresh=not own_state):
            trainer.add_callback(callback)
    logging.info(
        "steps %d to %d of %d, from %s", start, stop, len(steps), state or "the base model"
    )
    if state != states / f"checkpoint-{stop}":
        with precision.tf32(settings.precision):
            trainer.train(resume_from_checkpoint=str(state) if state else None)
        if trainer.state.global_step < stop:
            raise StoppedError(
                f"stopped by SIGTERM after step {trainer.state.global_step}; the state is saved: "
                "run again to resume"
            )
    # The first process moves the folders: wait until no process needs them.
    trainer.accelerator.wait_for_everyone()
    return checkpoints, states / f"checkpoint-{stop}"


def train_unsaved(
    model: Any, steps: Steps, settings: TrainSettings, folder: Path, callback: TrainerCallback
) -> None:
    """Train a whole run on one device and save nothing; `callback` sees the model at each step.

    The Trainer may create `folder`. Raises InputError if the model cannot be trained here, or a
    loss is not finite.
    """
    arguments = _arguments(settings, TrainHardware(), folder, len(steps))
    trainer = _trainer(model, StepBatches(steps, settings, devices=1), arguments)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(callback)
    with precision.tf32(settings.precision):
        trainer.train()
    # In bfloat16 the Trainer wraps the model's forward pass; the next Trainer would wrap it again.
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)


def _trainer(model: Any, passes: StepBatches, arguments: Any) -> "_Trainer":
    if arguments.use_cpu:
        keep_freed_memory()
        if arguments.bf16:
            precision.train_attention_in_float32(model)
    return _Trainer(
        model=model,
        args=arguments,
        train_dataset=passes,
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
        per_device_train_batch_size=1,  # a whole step, or the device's share of it
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
        # Offloaded and gathered tensors lie in CPU memory, which NCCL cannot handle.
        ddp_backend="cuda:nccl,cpu:gloo" if on_gpu and sharded else None,
        ddp_timeout=PATIENCE,
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
        arguments.fsdp_plugin_args |= fsdp.plugin_arguments(
            hardware, settings.precision, on_gpu=on_gpu
        )
        fsdp.correct_accelerate()
    return arguments


class _Trainer(Trainer):  # type: ignore[misc]
    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> Any:
        """Accumulate the gradients of a step, pass by pass; return the sum of the losses.

        Raises InputError if it is not finite, except in float16, which skips such a step.
        """
        labels = inputs["label_tokens"].to(self.args.device)
        loss = torch.zeros((), device=self.args.device)
        # FSDP adds each pass to the shards of the gradients. Without exchanging them (`no_sync`),
        # each GPU would hold all gradients until the last pass, which offloading is to avoid.
        for batch in inputs["passes"]:
            loss += super().training_step(model, batch, labels)
        if not (self.args.fp16 or loss.isfinite()):
            step = self.state.global_step + 1
            cure = "lower train.learning_rate" if step > 1 else "use another base model"
            raise InputError(f"step {step}: the training loss is not finite; {cure}")
        return loss

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return a pass's share of the step's loss; gradients are averaged over the processes."""
        return step_loss(model, inputs, num_items_in_batch) * self.accelerator.num_processes

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with HashedSaves() as self.saves:
            super()._save_checkpoint(model, trial)

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Return 0: nothing reads it, and the Trainer would look for the inputs of one pass."""
        return 0

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save the weights of a state, unless FSDP saves them with the optimizer.

        They keep their names in memory, which the Trainer expects on loading. Some families have
        other names on the hub, and the Trainer skips unknown names.
        """
        if self.is_fsdp_enabled:
            return
        folder = Path(output_dir or self.args.output_dir)
        if adapter.has_adapter(self.model):
            folder.mkdir(parents=True, exist_ok=True)
            weights = self.model.state_dict()
            trained = {name: weights[name] for name in adapter.saved_names(weights)}
            save_file(trained, folder / "model.safetensors", metadata={"format": "pt"})
        else:
            self.model.save_pretrained(folder, **SAVE_OPTIONS)
        self.saves.add(folder / "model.safetensors")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint and self.is_fsdp_enabled and self.accelerator.scaler:
            fsdp.load_scaler(self.accelerator, Path(checkpoint))
        super()._load_optimizer_and_scheduler(checkpoint)


class _Segment(TrainerCallback):  # type: ignore[misc]
    """Callback that saves checkpoints and states, and stops at the end of the segment."""

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
        self.checkpoint_every = settings.checkpoint_every
        self.dtype = getattr(torch, settings.checkpoint_dtype)
        self.saved, self.saving = time.monotonic(), 0.0
        self.skipped = 0
        self.sigterm = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.skipped = self._count_skipped(state.global_step)
        if state.global_step == 0:
            self._save(0)
        self.saved = time.monotonic()
        # Until now it ended the process: there was nothing to save. A second one changes nothing.
        signal.signal(signal.SIGTERM, self._note_sigterm)

    def _note_sigterm(self, *_: Any) -> None:
        self.sigterm = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        step = state.global_step
        if args.fp16:
            before, self.skipped = self.skipped, self._count_skipped(step)
            if self.skipped > before and args.should_save:
                logging.warning(
                    "step %d: the gradients overflowed in float16, so the step was skipped and the "
                    "loss scale halved; %d skipped so far",
                    *(step, self.skipped),
                )
        if step % self.checkpoint_every == 0 or step == state.max_steps:
            self._save(step)
        age = time.monotonic() - self.saved
        # The first process alone knows the time: the others do not wait for the disk.
        by_clock = args.save_strategy == "no" and args.should_save
        due = by_clock and age > max(STATE_SECONDS, STATE_SHARE * self.saving)
        stop, save = self._any_process(args, self.sigterm, due)
        if stop or step == self.stop:
            control.should_training_stop = True
        if stop or save or step == self.stop:
            control.should_save = True
        self.step_end = time.monotonic()
        return control

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # The state includes the history, whose mean losses depend on where the job began.
        state.log_history.clear()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.trainer.accelerator.wait_for_everyone()  # each process writes its part of the state
        if self.writer:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self.writer.wait()  # a state requires the checkpoints up to its step
            sums = self.trainer.saves.sums | self.writer.sums
            save_checksums(folder, self.checkpoints, self.run, sums, self.skipped)
            keep_two(folder.parent)
        self.saved = time.monotonic()
        self.saving = self.saved - self.step_end

    def _count_skipped(self, step: int) -> int:
        # Adam counts the steps it takes. The Trainer does not know which were skipped: a fused
        # optimizer skips inside its kernel, and the learning rate moves on.
        moments = self.trainer.optimizer.state.values()
        return step - int(next((moment["step"] for moment in moments), 0))

    def _any_process(self, args: Any, *flags: bool) -> list[bool]:
        """Return whether any process has each flag set: all stop, or save, after the same step."""
        if args.world_size == 1:
            return list(flags)
        reduced = torch.tensor(flags, dtype=torch.int32, device=args.device)
        torch.distributed.all_reduce(reduced, torch.distributed.ReduceOp.MAX)
        return [bool(flag) for flag in reduced.tolist()]

    def _save(self, step: int) -> None:
        # With FSDP, every process takes part in gathering the weights; the first one writes.
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
                # Write a tied tensor once; its copy would be a separate tensor.
                tied = model.all_tied_weights_keys
                weights = {name: tensor for name, tensor in weights.items() if name not in tied}
            self.writer.save(step, weights, self.dtype)
