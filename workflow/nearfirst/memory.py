"""How much memory and time a job needs, by arithmetic (docs/cluster.md, "What a job asks for").

Sizes are in bytes. P is the number of parameters, T the number of trained ones: all, or an adapter.
"""

from dataclasses import dataclass, replace
from math import ceil

from nearfirst.common.errors import InputError

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}

PROCESS = 2_000_000_000
"""One process with Python, torch and, on a GPU, CUDA."""

HEADROOM = 1.25
"""Ratio of a request to the arithmetic, for what allocators keep and the arithmetic leaves out."""

ACTIVATION = {"float32": 120, "float16": 90, "bfloat16": 90}
"""Bytes of activations per token, layer and unit of the layer's width (measured: 118 and 85 for a
Llama on a CPU)."""

LOGIT = 16
"""Bytes per token and word of the vocabulary: logits, their float32 copy, log-probabilities and
gradients (measured: 15.5)."""

RATE = {"float32": 5e12, "float16": 20e12, "bfloat16": 20e12, "float64": 0.5e12}
"""Operations per second of a GPU; a cautious 20e12 gives the paper's 8 hours on two A800."""

PINNED = 1.5
"""Bytes that torch takes for a byte of pinned memory: it rounds each tensor up to a power of two.
On average that is about 1.4; for a model for which it is almost 2, the headroom has the rest."""

DISK = 500_000_000
"""Bytes written or read per second."""


@dataclass(frozen=True)
class Shape:
    """The sizes that the memory of a model depends on."""

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
    """T; None if all parameters are trained."""

    @property
    def sharded(self) -> bool:
        """Whether FSDP shards the model over GPUs or offloads it to CPU memory."""
        return self.gpus > 1 or self.offload

    def trained(self, shape: Shape) -> int:
        """Return T."""
        return shape.parameters if self.trainable is None else self.trainable


def adapter_parameters(shape: Shape, rank: int) -> int:
    """Return roughly the parameters of an adapter on all linear layers of a Llama.

    A layer has four H × H matrices, with 2 rank H each, and three between H and some 2.7 H:
    together 19 rank H.
    """
    return 19 * rank * shape.hidden * shape.layers


def training_state(shape: Shape, job: Training) -> int:
    """Return 4 P + 12 T: float32 weights, then gradients and Adam's moments of trained ones."""
    return 4 * shape.parameters + 12 * job.trained(shape)


def pass_memory(shape: Shape, job: Training) -> int:
    """Return the memory of a forward and backward pass: activations and logits.

    With recomputed activations all layers keep their input only, and one layer at a time keeps the
    rest, twice while its gradients are computed. 16-bit arithmetic needs a copy of the weights.
    """
    per_layer = ACTIVATION[job.precision]
    width = 4 * shape.layers + 2 * per_layer if job.recompute else per_layer * shape.layers
    copies = 2 * shape.parameters if BYTES[job.precision] == 2 and not job.sharded else 0
    return job.pass_tokens * (shape.hidden * width + LOGIT * shape.vocabulary) + copies


def gpu_memory(shape: Shape, job: Training) -> int:
    """Return the memory of each GPU in training.

    FSDP shards weights and optimizer state or offloads them, and gathers up to two layers at once.
    It keeps the output layer too, from the forward pass until its gradient is summed over the GPUs:
    weights, gradient and a float32 copy of that. (An adapter has no such gradient.)
    """
    state = training_state(shape, job)
    if job.sharded:
        gathered = 2 * 4 * shape.parameters // max(shape.layers, 1)
        trains_output = job.trained(shape) == shape.parameters
        gathered += (12 if trains_output else 4) * shape.hidden * shape.vocabulary
        state = gathered + (0 if job.offload else ceil(state / job.gpus))
    return state + pass_memory(shape, job)


def cpu_memory(shape: Shape, job: Training, on_gpu: bool = True) -> int:
    """Return the memory of the machine in training.

    Every process loads the weights. Beside a GPU the copy for a checkpoint is pinned and stays
    (4 T), as are offloaded weights and gradients. To save a state, a sharded model gathers both
    moments (8 T) in addition, and a single GPU copies the weights (4 T). Without a GPU everything
    is there, and the copy for a checkpoint (4 T).
    """
    weights, trained = 4 * shape.parameters, 4 * job.trained(shape)
    if on_gpu:
        pinned = trained + (weights + trained if job.offload else 0)
        moments = 2 * trained if job.offload else 0
        held = ceil(PINNED * pinned) + moments + (2 * trained if job.sharded else trained)
    else:
        held = training_state(shape, job) + job.gpus * pass_memory(shape, job) + trained
    return job.gpus * PROCESS + max(job.gpus * weights, held)


def forward_memory(
    shape: Shape, precision: str, pass_tokens: int, logits: int, cached_tokens: int = 0
) -> int:
    """Return the memory of a job that computes without gradients, on a GPU or a CPU.

    It holds the weights in their precision (bfloat16: in float32, and a rounded copy), another
    checkpoint in float32 while it is loaded, a pass with the widest intermediate results (8 times
    the width) and the logits of `logits` tokens, and keys and values of `cached_tokens` in each
    layer.
    """
    size = max(BYTES[precision], 2)
    weights = (6 if precision == "bfloat16" else size) * shape.parameters
    results = pass_tokens * 8 * shape.hidden * 4 + logits * shape.vocabulary * 8
    cache = cached_tokens * shape.layers * 2 * shape.hidden * size
    return PROCESS + weights + 4 * shape.parameters + results + cache


def request_mb(size: float) -> int:
    """Return the MB to request, in steps of 500."""
    return ceil(HEADROOM * size / 500e6) * 500


def request_minutes(seconds: float) -> int:
    """Return the minutes to request: at least 60."""
    return max(60, ceil(HEADROOM * seconds / 60))


def fewest_gpus(shape: Shape, job: Training, card: float) -> int:
    """Return how many GPUs of `card` bytes (1, 2, 4 or 8) the model needs; 8 if more."""
    for gpus in (1, 2, 4):
        if gpu_memory(shape, replace(job, gpus=gpus)) <= card:
            return gpus
    return 8


def check_fits(shape: Shape, job: Training, card: int) -> None:
    """Raise InputError, with the numbers and what to change, if a GPU of `card` bytes is too small.

    Up to 10 % too much is allowed: the arithmetic is no more exact than that.
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
