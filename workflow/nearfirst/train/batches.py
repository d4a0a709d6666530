"""The steps of a run: which instances each one holds, and how they are cut into passes."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import torch

from nearfirst.common.errors import InputError
from nearfirst.model.logits import pad
from nearfirst.model.template import IGNORED, Tokens
from nearfirst.train.settings import TrainSettings

PASS_TOKENS = 128
"""What a pass costs beside its tokens, in tokens: to read the weights, to add to the gradients.

An estimate; from 64 to 256 the speed on a CPU hardly changes (benchmarks/README.md).
"""

Steps = Sequence[Sequence[Tokens]]
"""The instances of each step, in order."""


def steps_of_epoch(instances: int, settings: TrainSettings) -> int:
    """Return the optimizer steps of an epoch; the last one may hold fewer instances.

    Raises
    ------
    InputError
        If the arrangement does not hold enough instances.
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

    Parameters
    ----------
    tokens
        The instances in the order of the arrangement; the last ones may be left over.
    seed
        Seed of the run: it shuffles the epochs after the first, where they are to be.

    Raises
    ------
    InputError
        If there are too few instances, or more steps of the schedule than of the run.
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
        steps += [[tokens[i] for i in order[at : at + size]] for at in range(0, used, size)]
    return steps


def content(steps: Steps, settings: TrainSettings) -> str:
    """Return a digest of the settings and of each step's instances, in whatever order it has them.

    Within a step, order changes rounding alone.
    """
    digest = sha256(settings.canonical().encode())
    for step in steps:
        parts = (sha256(item.ids.tobytes() + b"|" + item.labels.tobytes()) for item in step)
        digest.update(b"".join(sorted(part.digest() for part in parts)))
    return digest.hexdigest()[:16]


def check_steps(steps: Steps, settings: TrainSettings) -> None:
    """Check that each step has a loss, and that a pass can hold any instance.

    Instances that truncation has left without a label keep their place, so that the steps stay
    those of the arrangement, and add no loss.

    Raises
    ------
    InputError
        If no instance of a step has a label, or one has more than `micro_batch_tokens` tokens.
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


def micro_batches(lengths: Sequence[int], max_tokens: int, devices: int = 1) -> list[list[int]]:
    """Cut a step into passes over instances of near-equal length.

    Of all cuts of the sorted instances the cheapest is taken, padding and `PASS_TOKENS` counted.

    Parameters
    ----------
    lengths
        (n,) tokens of each instance, none above `max_tokens`; n is a multiple of `devices`.
    max_tokens
        The most tokens of a pass on one device, padding included.
    devices
        Those that share the step. Of each pass, device d takes every `devices`-th instance from
        the d-th on: all have as many passes, of as many instances.

    Returns
    -------
    The indices of the instances of each pass, over all devices; the longest come first, so that a
    lack of memory shows at once.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    longest: npt.NDArray[np.int64] = np.asarray(lengths)[order][::devices]
    count = len(longest)
    cost, cuts = np.zeros(count + 1), np.zeros(count + 1, dtype=int)
    for stop in range(1, count + 1):
        padded = np.arange(stop, 0, -1) * longest[:stop]
        total = np.where(padded <= max_tokens, cost[:stop] + padded + PASS_TOKENS, np.inf)
        cuts[stop] = total.argmin()
        cost[stop] = total[cuts[stop]]
    passes: list[list[int]] = []
    stop = count
    while stop:
        passes.insert(0, order[cuts[stop] * devices : stop * devices].tolist())
        stop = cuts[stop]
    return passes


class StepBatches(torch.utils.data.Dataset[dict[str, object]]):
    """What each device reads at each step: item `step x devices + device`."""

    def __init__(self, steps: Steps, settings: TrainSettings, devices: int) -> None:
        self.steps, self.max_tokens, self.devices = steps, settings.micro_batch_tokens, devices

    def __len__(self) -> int:
        return len(self.steps) * self.devices

    def __getitem__(self, item: int) -> dict[str, object]:
        """Return the padded passes of a step on one device, and the labels of the whole step."""
        number, device = divmod(item, self.devices)
        step = self.steps[number]
        # All devices have as many instances: some without a label fill the last step.
        blank = Tokens(step[0].ids[:1], np.full(1, IGNORED, dtype=np.int64))
        full = [*step, *[blank] * (-len(step) % self.devices)]
        cut = micro_batches([len(each.ids) for each in full], self.max_tokens, self.devices)
        return {
            "passes": [pad([full[i] for i in its[device :: self.devices]]) for its in cut],
            "label_tokens": torch.tensor(sum(each.label_tokens for each in step)),
        }
