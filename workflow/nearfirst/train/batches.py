"""The steps of a run: which instances each step holds, and how it is cut into passes."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.common.errors import InputError
from nearfirst.hardware import TrainHardware
from nearfirst.model.logits import pad
from nearfirst.model.template import IGNORED, Tokens
from nearfirst.train.settings import TrainSettings

PASS_TOKENS, SHARDED_PASS_TOKENS, OFFLOADED_PASS_TOKENS = 128, 512, 4096
"""Fixed cost of a pass, in tokens: the time for all weights and gradients over that for a token.

In each pass they are read in memory, or with FSDP also sent between GPUs, or copied from CPU memory
and back. Both times grow with the number of parameters, which cancels. These are estimates. Between
64 and 256, speed on a CPU hardly changes (benchmarks/README.md); for FSDP a GPU is taken to compute
1.5e14 operations a second, and to exchange 150 GB/s with another or 25 GB/s with CPU memory.
"""

Steps = Sequence[Sequence[Tokens]]
"""The instances of each step, in order."""


def steps_of_epoch(instances: int, settings: TrainSettings) -> int:
    """Return the number of optimizer steps in an epoch; the last step may hold fewer instances.

    Raises InputError if the arrangement holds too few instances.
    """
    available = -(-instances // settings.batch_size)
    if settings.steps == "epoch":
        return available
    if settings.steps > available:
        raise InputError(
            f"train.steps: {settings.steps} steps of {settings.batch_size} need more than the "
            f"{instances} instances of the arrangement; set train.steps to {available} or fewer"
        )
    return settings.steps


def run_steps(
    tokens: Sequence[Tokens], settings: TrainSettings, seed: int = 0
) -> list[list[Tokens]]:
    """Return the instances of each step of a run, epoch after epoch.

    `tokens` are in the order of the arrangement; the last may be left over. `seed`, the run's,
    shuffles the epochs after the first if `epoch_order` is `reshuffled`. Raises InputError if there
    are too few instances, or if the schedule needs more steps than the run has.
    """
    size, count = settings.batch_size, steps_of_epoch(len(tokens), settings)
    used = min(count * size, len(tokens))
    try:
        settings.check_schedule(count * settings.epochs)
    except ValueError as error:
        raise InputError(f"train.{error}") from None
    steps = []
    for epoch in range(settings.epochs):
        order = np.arange(used)
        if epoch and settings.epoch_order == "reshuffled":
            order = np.random.default_rng([seed, epoch]).permutation(used)
        steps += [[tokens[i] for i in order[k : k + size]] for k in range(0, used, size)]
    return steps


def content(steps: Steps, settings: TrainSettings) -> str:
    """Return a digest of the settings and of each step's instances.

    Order within a step does not count: it changes rounding only.
    """
    digest = sha256(settings.canonical().encode())
    for step in steps:
        parts = (sha256(item.ids.tobytes() + b"|" + item.labels.tobytes()) for item in step)
        digest.update(b"".join(sorted(part.digest() for part in parts)))
    return digest.hexdigest()[:16]


def check_steps(steps: Steps, settings: TrainSettings) -> None:
    """Raise InputError if a step has no label, or an instance exceeds `micro_batch_tokens`.

    Instances left without a label by truncation keep their place, so that each step holds what the
    arrangement says; they add no loss.
    """
    for number, step in enumerate(steps, start=1):
        if not any(item.label_tokens for item in step):
            raise InputError(
                f"step {number} holds no answer within template.max_length tokens; raise "
                "template.max_length"
            )
    longest = max(len(item.ids) for step in steps for item in step)
    if longest > settings.micro_batch_tokens:
        raise InputError(
            f"train.micro_batch_tokens: {settings.micro_batch_tokens} tokens cannot hold the "
            f"longest instance, which has {longest}; raise it to {longest} or more, or lower "
            "template.max_length"
        )


def pass_cost(hardware: TrainHardware) -> int:
    """Return the fixed cost of a pass on this hardware, in tokens."""
    if hardware.offload:
        return OFFLOADED_PASS_TOKENS
    return SHARDED_PASS_TOKENS if hardware.is_sharded() else PASS_TOKENS


def micro_batches(
    lengths: Sequence[int], max_tokens: int, devices: int = 1, cost: int = PASS_TOKENS
) -> list[list[int]]:
    """Cut a step into passes over instances of similar length.

    Among all cuts of the sorted instances, take the cheapest: the sum of the tokens, padding
    included, and of the fixed `cost` of each pass.

    `lengths` (n,) are the tokens of each instance, none above `max_tokens`, the most tokens in a
    pass on one device, padding included. n is a multiple of `devices`: device d takes instances d,
    d + `devices`, ... of each pass, so all devices run equally many passes over equally many
    instances.

    Returns the indices of each pass's instances, over all devices; the longest come first, so that
    a lack of memory shows at once.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    longest: npt.NDArray[np.int64] = np.asarray(lengths)[order][::devices]
    count = len(longest)
    total, cuts = np.zeros(count + 1), np.zeros(count + 1, dtype=int)
    for stop in range(1, count + 1):
        padded = np.arange(stop, 0, -1) * longest[:stop]
        totals = np.where(padded <= max_tokens, total[:stop] + padded + cost, np.inf)
        cuts[stop] = totals.argmin()
        total[stop] = totals[cuts[stop]]
    passes: list[list[int]] = []
    stop = count
    while stop:
        passes.insert(0, order[cuts[stop] * devices : stop * devices].tolist())
        stop = cuts[stop]
    return passes


class StepBatches(torch.utils.data.Dataset[dict[str, object]]):
    """The input of each device at each step: item `step x devices + device`."""

    def __init__(
        self, steps: Steps, settings: TrainSettings, devices: int, cost: int = PASS_TOKENS
    ) -> None:
        self.steps, self.devices = steps, devices
        self.max_tokens, self.cost = settings.micro_batch_tokens, cost

    def __len__(self) -> int:
        return len(self.steps) * self.devices

    def __getitem__(self, index: int) -> dict[str, object]:
        """Return the padded passes of a step on one device, and the labels of the whole step."""
        number, device = divmod(index, self.devices)
        step = self.steps[number]
        # All devices get equally many instances: unlabelled ones fill up the last step.
        blank = Tokens(step[0].ids[:1], np.full(1, IGNORED, dtype=np.int64))
        padded = [*step, *[blank] * (-len(step) % self.devices)]
        lengths = [len(item.ids) for item in padded]
        passes = micro_batches(lengths, self.max_tokens, self.devices, self.cost)
        return {
            "passes": [pad([padded[i] for i in batch[device :: self.devices]]) for batch in passes],
            "label_tokens": torch.tensor(sum(item.label_tokens for item in step)),
        }
