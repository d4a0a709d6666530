"""Steps in float16 that changed nothing, since the scaled gradients overflowed."""

from typing import Any


def skipped_steps(optimizer: Any, step: int) -> int:
    """Return how many of the first `step` steps were skipped: Adam counts those that it takes.

    The Trainer does not know: a fused optimizer skips inside its kernel, and the rate moves on.
    """
    taken = next((moments["step"] for moments in optimizer.state.values()), 0)
    return step - int(taken)
