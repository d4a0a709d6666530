"""What jobs ask for where the config does not say: derived from the model and the settings."""

from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.generate.settings import GenerateSettings
from nearfirst.hardware import HardwareSettings, TrainHardware
from nearfirst.memory import (
    BYTES,
    DISK,
    RATE,
    Shape,
    Training,
    adapter_parameters,
    cpu_memory,
    fewest_gpus,
    forward_memory,
    request_mb,
    request_minutes,
)
from nearfirst.model.settings import TemplateSettings
from nearfirst.train.settings import TrainSettings

TEST_INSTANCES, TEST_TOKENS = 1000, 500_000
"""Of a test set, for the time limits: their number is known only once it is there."""

BANDWIDTH = 1e12
"""Bytes a second that a GPU reads: each token of an answer reads all weights."""


def training_of(
    shape: Shape, train: TrainSettings, template: TemplateSettings, its: TrainHardware
) -> Training:
    """Return a training job in numbers; its passes are as large as they may be."""
    return Training(
        train.precision,
        min(train.micro_batch_tokens, train.batch_size * template.max_length),
        its.gpus,
        its.offload,
        its.recompute_activations,
        adapter_parameters(shape, train.adapter.rank) if train.adapter else None,
    )


def derive(
    hardware: HardwareSettings,
    shape: Shape,
    train: TrainSettings,
    template: TemplateSettings,
    evaluate: EvaluateSettings,
    generate: GenerateSettings,
) -> HardwareSettings:
    """Fill in GPUs, memory and minutes of training, evaluation and generation.

    What the config says stays. Where `steps: epoch` leaves the length of a run open, the minutes
    are the fewest.
    """
    job = training_of(shape, train, template, hardware.train)
    if "gpus" not in hardware.train.model_fields_set and not job.offload:
        gpus = fewest_gpus(shape, job, hardware.gpu_memory_gb * 1e9)
        hardware = _with(hardware, "train", gpus=gpus)
        job = training_of(shape, train, template, hardware.train)
    # Spread over GPUs it is meant for them; else it may run on a CPU as well.
    kinds = [True] if job.sharded else [True, False]
    mb = request_mb(max(cpu_memory(shape, job, on_gpu) for on_gpu in kinds))

    total = 0 if train.steps == "epoch" else train.steps * train.epochs
    steps = min(total, train.segment_steps or total)
    checkpoints = steps // train.checkpoint_every + 1
    a_checkpoint = BYTES[train.checkpoint_dtype] * job.trained(shape)
    tokens = steps * train.batch_size * template.max_length
    # A pass forward and, twice as long, backward; once more forward where that is recomputed.
    work = (8 if job.recompute else 6) * shape.parameters * tokens
    # By the clock, states take less than a twentieth of the time.
    every = hardware.train.state_every
    states = steps // every + 1 if every else 1
    written = checkpoints * a_checkpoint + states * 12 * job.trained(shape)
    seconds = work / (RATE[train.precision] * job.gpus) + written / DISK
    hardware = _with(hardware, "train", memory_mb=mb, minutes=request_minutes(seconds))

    read = a_checkpoint / DISK
    mb = request_mb(
        forward_memory(shape, evaluate.precision, evaluate.batch_tokens, evaluate.batch_tokens)
    )
    seconds = checkpoints * (read + 2 * shape.parameters * TEST_TOKENS / RATE[evaluate.precision])
    hardware = _with(hardware, "evaluate", memory_mb=mb, minutes=request_minutes(seconds))

    rows = hardware.generate.batch_size
    prompts = rows * template.max_length
    cached = prompts + rows * generate.max_new_tokens
    mb = request_mb(forward_memory(shape, generate.precision, prompts, rows, cached))
    passes = TEST_INSTANCES / rows * generate.max_new_tokens
    each = passes * BYTES[generate.precision] * shape.parameters / BANDWIDTH
    minutes = request_minutes(checkpoints * (read + each))
    return _with(hardware, "generate", memory_mb=mb, minutes=minutes)


def _with(hardware: HardwareSettings, part: str, **derived: int) -> HardwareSettings:
    """Set keys of a part, but for those that the config sets."""
    its = getattr(hardware, part)
    new = {key: value for key, value in derived.items() if key not in its.model_fields_set}
    # `model_construct` keeps note of what the config has set, which `model_copy` does not.
    return hardware.model_copy(
        update={part: type(its).model_construct(its.model_fields_set, **{**dict(its), **new})}
    )
