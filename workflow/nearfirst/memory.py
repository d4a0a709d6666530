"""How much memory and time a job needs, by arithmetic (docs/cluster.md, "What a job asks for").

Sizes are in bytes, P is the number of parameters and T that of those trained: all, or an adapter's.
"""

from dataclasses import dataclass, replace
from math import ceil

from nearfirst.common.errors import InputError

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}

PROCESS = 2_000_000_000
"""Python, torch and, on a GPU, CUDA, of one process."""

HEADROOM = 1.25
"""Requests over arithmetic: what allocators keep, and what the arithmetic does not know."""

ACTIVATION = {"float32": 120, "float16": 90, "bfloat16": 90}
"""Bytes that training keeps of a token, in a layer, for each unit of its width (measured: 118 and
85 of a Llama on a CPU)."""

LOGIT = 16
"""Bytes of a token for each word of the vocabulary: logits, their float32 copy, their logarithms
and gradients (measured: 15.5)."""

RATE = {"float32": 5e12, "float16": 20e12, "bfloat16": 20e12, "float64": 0.5e12}
"""Operations a second of a GPU in a job: a cautious 20e12 are the paper's 8 hours on two A800."""

DISK = 500_000_000
"""Bytes a second that are written or read."""


@dataclass(frozen=True)
class Shape:
    """What the memory of a model depends on."""

    parameters: int
    hidden: int
    layers: int
    vocabulary: int


@dataclass(frozen=True)
class Training:
    """A training job, in numbers."""

    precision: str
    pass_tokens: int
    """Tokens in a forward pass on one device, padding included."""
    gpus: int = 1
    offload: bool = False
    recompute: bool = False
    trainable: int | None = None
    """T, if not all parameters are trained."""

    @property
    def sharded(self) -> bool:
        """Whether FSDP spreads the model over GPUs and CPU memory."""
        return self.gpus > 1 or self.offload

    def trained(self, shape: Shape) -> int:
        """Return T."""
        return shape.parameters if self.trainable is None else self.trainable


def adapter_parameters(shape: Shape, rank: int) -> int:
    """Return the parameters of an adapter beside all linear layers of a Llama, roughly.

    A layer has four matrices from H to H, which get 2 rank H each, and three between H and some
    2.7 H: 19 rank H together.
    """
    return 19 * rank * shape.hidden * shape.layers


def held(shape: Shape, job: Training) -> int:
    """Return 4 P + 12 T: float32 weights; of what is trained, gradients and Adam's two moments."""
    return 4 * shape.parameters + 12 * job.trained(shape)


def pass_memory(shape: Shape, job: Training) -> int:
    """Return the memory of a forward and backward pass: activations and logits.

    If activations are recomputed, each layer keeps its input alone, and one at a time the rest,
    once more while its gradients are computed. Arithmetic in 16 bits has copies of the weights.
    """
    each = ACTIVATION[job.precision]
    a_layer = 4 * shape.layers + 2 * each if job.recompute else each * shape.layers
    copies = 2 * shape.parameters if BYTES[job.precision] == 2 and not job.sharded else 0
    return job.pass_tokens * (shape.hidden * a_layer + LOGIT * shape.vocabulary) + copies


def gpu_memory(shape: Shape, job: Training) -> int:
    """Return the memory of each GPU in training.

    FSDP shards what is held, or has it in CPU memory, and gathers a layer at a time, two of them
    at once.
    """
    own = held(shape, job)
    if job.sharded:
        gathered = 2 * 4 * shape.parameters // max(shape.layers, 1)
        own = gathered + (0 if job.offload else ceil(own / job.gpus))
    return own + pass_memory(shape, job)


def cpu_memory(shape: Shape, job: Training, on_gpu: bool = True) -> int:
    """Return the memory of the machine in training.

    Every process loads the weights. What is trained of a sharded model is gathered in CPU memory to
    save its state (12 T), else a checkpoint is copied there (4 T). Without a GPU all is here.
    """
    weights, processes = 4 * shape.parameters, job.gpus * PROCESS
    here = held(shape, job) if job.offload or not on_gpu else 0
    saving = (12 if job.sharded else 4) * job.trained(shape)
    if not on_gpu:
        here += job.gpus * pass_memory(shape, job)
    return processes + max(job.gpus * weights, here + saving)


def forward_memory(
    shape: Shape, precision: str, pass_tokens: int, logits: int, cached_tokens: int = 0
) -> int:
    """Return the memory of a job that computes without gradients, on a GPU or a CPU.

    Weights in their precision, another checkpoint in float32 on the way to them, of a pass the
    widest layer's intermediate results (8 of the width) and `logits` of its tokens, and keys and
    values of `cached_tokens` in each layer.
    """
    size = max(BYTES[precision], 2)
    weights = (4 if precision == "bfloat16" else size) * shape.parameters
    results = pass_tokens * 8 * shape.hidden * 4 + logits * shape.vocabulary * 8
    cache = cached_tokens * shape.layers * 2 * shape.hidden * size
    return PROCESS + weights + 4 * shape.parameters + results + cache


def request_mb(size: float) -> int:
    """Return the MB to ask for, in steps of 500."""
    return ceil(HEADROOM * size / 500e6) * 500


def request_minutes(seconds: float) -> int:
    """Return the minutes to ask for: at least 60."""
    return max(60, ceil(HEADROOM * seconds / 60))


def fewest_gpus(shape: Shape, job: Training, card: float) -> int:
    """Return how many GPUs of `card` bytes (1, 2, 4 or 8) hold the model; 8 if even they do not."""
    for gpus in (1, 2, 4):
        if gpu_memory(shape, replace(job, gpus=gpus)) <= card:
            return gpus
    return 8


def check_fits(shape: Shape, job: Training, card: int) -> None:
    """Raise InputError, with the numbers and what to change, if a GPU of `card` bytes is too small.

    A tenth too much is let through: the arithmetic is not so exact as to forbid that.
    """
    needed = gpu_memory(shape, job)
    if needed <= 1.1 * card:
        return
    in_passes = pass_memory(shape, job)
    advice = []
    if not job.recompute:
        advice.append("hardware.train.recompute_activations: true")
    if (gpus := fewest_gpus(shape, job, card)) > job.gpus:
        advice.append(f"hardware.train.gpus: {gpus}")
    if not job.offload:
        advice.append("hardware.train.offload: true")
    if in_passes > card // 4:
        advice.append("smaller micro-batches in `train`")
    raise InputError(
        f"training {shape.parameters:,} parameters takes {needed / 1e9:.1f} GB on each of "
        f"{job.gpus} GPU(s), {(needed - in_passes) / 1e9:.1f} for weights, gradients and Adam and "
        f"{in_passes / 1e9:.1f} for passes of {job.pass_tokens:,} tokens; this one has "
        f"{card / 1e9:.1f} GB. Set {', or '.join(advice) or 'a smaller model'}"
    )
