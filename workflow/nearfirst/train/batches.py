"""What an optimizer step holds: the instances in their order, so many at a time."""

from collections.abc import Sequence

import numpy as np
import torch

from nearfirst.common.errors import InputError
from nearfirst.model.template import IGNORED, Tokens
from nearfirst.train.settings import TrainSettings


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


def whole_steps(tokens: Sequence[Tokens], batch_size: int) -> list[Tokens]:
    """Return all items, with some that carry no label to fill the last step.

    Otherwise accelerate fills it up for the second process with the first instances of the run.
    """
    blank = Tokens(tokens[0].ids[:1], np.full(1, IGNORED, dtype=np.int64))
    return [*tokens, *[blank] * (-len(tokens) % batch_size)]


def last_step(instances: int, settings: TrainSettings, stop: int | None) -> int:
    """Return the last step of a segment; a `stop` of None is the end of the run."""
    total = total_steps(instances, settings)
    return total if stop is None else min(stop, total)
