"""Memory, time and GPUs of jobs, derived from the model where the config does not set them."""

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
"""Assumed size of a test set, for time limits: it is known only once the test set exists."""

BANDWIDTH = 1e12
"""Bytes a second that a GPU reads: each token of an answer reads all weights."""

LONGEST_JOB = 24 * 3600
"""Seconds of a training job on one GPU beyond which a run is cut into segments."""


def training_of(
    shape: Shape, train: TrainSettings, template: TemplateSettings, hardware: TrainHardware
) -> Training:
    """Return a training job in numbers, with the largest passes that the settings allow."""
    return Training(
        train.precision,
        min(train.micro_batch_tokens, train.batch_size * template.max_length),
        hardware.gpus,
        hardware.offload,
        hardware.recompute_activations,
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

    Keys that the config sets stay. If `steps: epoch` leaves the length of a run open, it gets the
    minimum of minutes.
    """
    job = training_of(shape, train, template, hardware.train)
    if not job.offload:
        card = hardware.gpu_memory_gb * 1e9
        hardware = _fill_in(hardware, "train", gpus=fewest_gpus(shape, job, card))
        job = training_of(shape, train, template, hardware.train)
        hardware = _fill_in(hardware, "train", offload=gpu_memory(shape, job) > card)
        job = training_of(shape, train, template, hardware.train)
    # A sharded job needs GPUs; any other may run on a CPU as well.
    places = [True] if job.sharded else [True, False]
    mb = request_mb(max(cpu_memory(shape, job, on_gpu) for on_gpu in places))

    steps = _job_steps(train)
    seconds = _train_seconds(shape, job, train, template, steps, hardware.train.state_every)
    hardware = _fill_in(hardware, "train", memory_mb=mb, minutes=request_minutes(seconds))

    checkpoints = _count_checkpoints(train, steps)
    read_seconds = _checkpoint_bytes(shape, job, train) / DISK
    mb = request_mb(
        forward_memory(shape, evaluate.precision, evaluate.batch_tokens, evaluate.batch_tokens)
    )
    pass_seconds = 2 * shape.parameters * TEST_TOKENS / RATE[evaluate.precision]
    minutes = request_minutes(checkpoints * (read_seconds + pass_seconds))
    hardware = _fill_in(hardware, "evaluate", memory_mb=mb, minutes=minutes)

    rows = hardware.generate.batch_size
    prompts = rows * template.max_length
    cached = prompts + rows * generate.max_new_tokens
    mb = request_mb(forward_memory(shape, generate.precision, prompts, rows, cached))
    passes = TEST_INSTANCES / rows * generate.max_new_tokens
    pass_seconds = passes * BYTES[generate.precision] * shape.parameters / BANDWIDTH
    minutes = request_minutes(checkpoints * (read_seconds + pass_seconds))
    return _fill_in(hardware, "generate", memory_mb=mb, minutes=minutes)


def segment_steps(shape: Shape, train: TrainSettings, template: TemplateSettings) -> int | None:
    """Return the steps of each job if one job of `LONGEST_JOB` is too short for a run, else None.

    Assumes one GPU and recomputed activations, whatever `hardware` says: paths of results depend
    on the segments, and a change of hardware must rerun nothing.
    """
    if train.steps == "epoch":
        return None
    job = training_of(shape, train, template, TrainHardware(recompute_activations=True))

    def fits(steps: int) -> bool:
        return HEADROOM * _train_seconds(shape, job, train, template, steps) <= LONGEST_JOB

    total, every = train.steps * train.epochs, train.checkpoint_every
    if fits(total):
        return None
    # A segment must not span two epochs in part.
    lengths = [n for n in range(every, total, every) if train.epochs == 1 or train.steps % n == 0]
    return max(filter(fits, lengths), default=min(lengths, default=None))


def _job_steps(train: TrainSettings) -> int:
    """Return the steps of a training job; 0 where `steps: epoch` leaves them open."""
    total = 0 if train.steps == "epoch" else train.steps * train.epochs
    return min(total, train.segment_steps or total)


def _count_checkpoints(train: TrainSettings, steps: int) -> int:
    return steps // train.checkpoint_every + 1


def _checkpoint_bytes(shape: Shape, job: Training, train: TrainSettings) -> int:
    return BYTES[train.checkpoint_dtype] * job.trained(shape)


def _train_seconds(
    shape: Shape,
    job: Training,
    train: TrainSettings,
    template: TemplateSettings,
    steps: int,
    state_every: int | None = None,
) -> float:
    """Return how long training takes, checkpoints and states included."""
    tokens = steps * train.batch_size * template.max_length
    # Forward, backward (twice as much), and forward again if activations are recomputed.
    operations = (8 if job.recompute else 6) * shape.parameters * tokens
    # Without `state_every` states are saved by the clock, in less than a twentieth of the time.
    states = steps // state_every + 1 if state_every else 1
    written = _count_checkpoints(train, steps) * _checkpoint_bytes(shape, job, train)
    written += states * 12 * job.trained(shape)
    return operations / (RATE[train.precision] * job.gpus) + written / DISK


def derive_reward(
    hardware: HardwareSettings,
    shape: Shape,
    reward: RewardSettings,
    train: TrainSettings,
    template: TemplateSettings,
) -> HardwareSettings:
    """Fill in memory and minutes of the jobs of the reward model, which has this shape.

    It has no logits and scores the answers of a segment. Training pairs are assumed to be as long
    as a training instance may be.
    """
    scoring, checkpoints = reward.scoring, _count_checkpoints(train, _job_steps(train))
    size = forward_memory(shape, scoring.precision, scoring.batch_tokens, 0)
    seconds = checkpoints * 2 * shape.parameters * TEST_TOKENS / RATE[scoring.precision]
    if reward.name is None:
        length, pairs = min(2 * reward.text.max_length, template.max_length), reward.preferences
        shape = replace(shape, vocabulary=0)
        job = Training("float32", reward.training.batch_size * length)
        size = max(size, *(cpu_memory(shape, job, on_gpu) for on_gpu in (True, False)))
        tokens = pairs.max_per_dataset * len(pairs.datasets) * reward.training.epochs * length
        seconds = max(seconds, 6 * shape.parameters * tokens / RATE["float32"])
    minutes = request_minutes(seconds)
    return _fill_in(hardware, "reward", memory_mb=request_mb(size), minutes=minutes)


def _fill_in(hardware: HardwareSettings, stage: str, **derived: int) -> HardwareSettings:
    """Set the keys of a stage's section that the config does not set."""
    section = getattr(hardware, stage)
    new = {key: value for key, value in derived.items() if key not in section.model_fields_set}
    # `model_copy` would mark the new keys as set by the config.
    filled = section.model_construct(section.model_fields_set, **dict(section) | new)
    return hardware.model_copy(update={stage: filled})
