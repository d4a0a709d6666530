"""The steps of a run: which instances each one holds, in their order."""

from collections.abc import Sequence

import numpy as np

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
    available = -(-instances // settings.batch_size)
    if settings.steps == "epoch":
        return available
    if settings.steps > available:
        raise InputError(
            f"train.steps: {settings.steps} steps of {settings.batch_size} need more than the "
            f"{instances} instances of the arrangement; set train.steps to {available} or fewer"
        )
    return settings.steps


def check_labels(tokens: Sequence[Tokens], settings: TrainSettings) -> int:
    """Return how many instances truncation has left without a label.

    They keep their place, so that the steps stay those of the arrangement, and add no loss.

    Raises
    ------
    InputError
        If no instance of a step has a label: the step has no loss.
    """
    bare = [item.label_tokens == 0 for item in tokens]
    for start in range(0, len(bare), settings.batch_size):
        if all(bare[start : start + settings.batch_size]):
            raise InputError(
                f"step {start // settings.batch_size + 1} holds no answer within "
                "template.max_length tokens; raise template.max_length"
            )
    return sum(bare)


def whole_steps(tokens: Sequence[Tokens], batch_size: int) -> list[Tokens]:
    """Return all instances, and some without a label to fill the last step.

    Otherwise accelerate fills the second process's part with the first instances of the run.
    """
    blank = Tokens(tokens[0].ids[:1], np.full(1, IGNORED, dtype=np.int64))
    return [*tokens, *[blank] * (-len(tokens) % batch_size)]
