"""What jobs ask for where the config does not say: derived from the model and the settings."""

from dataclasses import replace

from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.generate.settings import GenerateSettings
from nearfirst.hardware import HardwareSettings, TrainHardware
from nearfirst.memory import (
    BYTES,
    DISK,
    HEADROOM,
    RATE,
    Shape,
    Training,
    adapter_parameters,
    cpu_memory,
    fewest_gpus,
    forward_memory,
    gpu_memory,
    request_mb,
    request_minutes,
)
from nearfirst.model.settings import TemplateSettings
from nearfirst.reward.settings import RewardSettings
from nearfirst.train.settings import TrainSettings

TEST_INSTANCES, TEST_TOKENS = 1000, 500_000
"""Of a test set, for the time limits: their number is known only once it is there."""

BANDWIDTH = 1e12
"""Bytes a second that a GPU reads: each token of an answer reads all weights."""

LONGEST_JOB = 24 * 3600
"""Seconds of a training job on one GPU beyond which a run is cut into segments."""


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
    if not job.offload:
        card = hardware.gpu_memory_gb * 1e9
        hardware = _with(hardware, "train", gpus=fewest_gpus(shape, job, card))
        job = training_of(shape, train, template, hardware.train)
        hardware = _with(hardware, "train", offload=gpu_memory(shape, job) > card)
        job = training_of(shape, train, template, hardware.train)
    # Spread over GPUs it is meant for them; else it may run on a CPU as well.
    kinds = [True] if job.sharded else [True, False]
    mb = request_mb(max(cpu_memory(shape, job, on_gpu) for on_gpu in kinds))

    steps = _steps(train)
    seconds = _seconds(shape, job, train, template, steps, hardware.train.state_every)
    hardware = _with(hardware, "train", memory_mb=mb, minutes=request_minutes(seconds))

    checkpoints = _checkpoints(train, steps)
    read = _checkpoint(shape, job, train) / DISK
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


def segment_steps(shape: Shape, train: TrainSettings, template: TemplateSettings) -> int | None:
    """Return the steps of each job of a run that one job of `LONGEST_JOB` cannot train, else None.

    By the arithmetic of its time limit, on one GPU and with activations recomputed, whatever
    `hardware` says: the paths of results depend on it, and hardware reruns nothing.
    """
    if train.steps == "epoch":
        return None
    job = training_of(shape, train, template, TrainHardware(recompute_activations=True))

    def fits(steps: int) -> bool:
        return HEADROOM * _seconds(shape, job, train, template, steps) <= LONGEST_JOB

    total, every = train.steps * train.epochs, train.checkpoint_every
    if fits(total):
        return None
    # A segment must not hold the end of one epoch and the beginning of the next.
    lengths = [n for n in range(every, total, every) if train.epochs == 1 or train.steps % n == 0]
    return max(filter(fits, lengths), default=min(lengths, default=None))


def _steps(train: TrainSettings) -> int:
    """Return the steps of a training job; 0 where `steps: epoch` leaves them open."""
    total = 0 if train.steps == "epoch" else train.steps * train.epochs
    return min(total, train.segment_steps or total)


def _checkpoints(train: TrainSettings, steps: int) -> int:
    return steps // train.checkpoint_every + 1


def _checkpoint(shape: Shape, job: Training, train: TrainSettings) -> int:
    return BYTES[train.checkpoint_dtype] * job.trained(shape)


def _seconds(
    shape: Shape,
    job: Training,
    train: TrainSettings,
    template: TemplateSettings,
    steps: int,
    state_every: int | None = None,
) -> float:
    """Return how long steps of training take, with checkpoints and states."""
    tokens = steps * train.batch_size * template.max_length
    # A pass forward and, twice as long, backward; once more forward where that is recomputed.
    work = (8 if job.recompute else 6) * shape.parameters * tokens
    # By the clock, states take less than a twentieth of the time.
    states = steps // state_every + 1 if state_every else 1
    written = _checkpoints(train, steps) * _checkpoint(shape, job, train)
    written += states * 12 * job.trained(shape)
    return work / (RATE[train.precision] * job.gpus) + written / DISK


def derive_reward(
    hardware: HardwareSettings,
    shape: Shape,
    reward: RewardSettings,
    train: TrainSettings,
    template: TemplateSettings,
) -> HardwareSettings:
    """Fill in memory and minutes of the jobs of the reward model, which has this shape.

    It has no logits, and scores the answers of a segment. Pairs that it is trained on are taken to
    be as long as a training instance may be.
    """
    its, checkpoints = reward.scoring, _checkpoints(train, _steps(train))
    size = forward_memory(shape, its.precision, its.batch_tokens, 0)
    seconds = checkpoints * 2 * shape.parameters * TEST_TOKENS / RATE[its.precision]
    if reward.name is None:
        length, pairs = min(2 * reward.text.max_length, template.max_length), reward.preferences
        shape = replace(shape, vocabulary=0)
        job = Training("float32", reward.training.batch_size * length)
        size = max(size, *(cpu_memory(shape, job, on_gpu) for on_gpu in (True, False)))
        tokens = pairs.max_per_dataset * len(pairs.datasets) * reward.training.epochs * length
        seconds = max(seconds, 6 * shape.parameters * tokens / RATE["float32"])
    minutes = request_minutes(seconds)
    return _with(hardware, "reward", memory_mb=request_mb(size), minutes=minutes)


def _with(hardware: HardwareSettings, part: str, **derived: int) -> HardwareSettings:
    """Set keys of a part, but for those that the config sets."""
    its = getattr(hardware, part)
    new = {key: value for key, value in derived.items() if key not in its.model_fields_set}
    # `model_construct` keeps note of what the config has set, which `model_copy` does not.
    return hardware.model_copy(
        update={part: type(its).model_construct(its.model_fields_set, **{**dict(its), **new})}
    )
