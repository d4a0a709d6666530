"""The learning rate of each step, in numbers; `schedule.py` gives the Trainer the same."""

import math

from nearfirst.train.settings import TrainSettings


def rates(settings: TrainSettings, total: int) -> list[float]:
    """Return the rate of each step of a run of `total` steps; their sum is its dose."""
    peak = peak_rate(settings, total)
    return [peak * _share(settings, step, total) for step in range(total)]


def peak_rate(settings: TrainSettings, total: int) -> float:
    """Return the highest rate of a run of `total` steps: with `mean_of`, one of equal sum.

    Half a cosine to zero without warm-up has the mean (T + 1) / 2T of its peak over T steps.
    """
    if settings.mean_of is None:
        return settings.learning_rate
    other = settings.model_copy(update={"schedule": settings.mean_of, "mean_of": None})
    ours = sum(_share(settings, step, total) for step in range(total))
    return sum(rates(other, total)) / ours


def _share(settings: TrainSettings, step: int, total: int) -> float:
    """Return the rate of a step, from 0, as a share of the peak."""
    final = settings.final_rate / settings.learning_rate
    stable_decay = settings.schedule == "warmup-stable-decay"
    if step < settings.warmup_steps:
        start = final if stable_decay else 0.0
        return start + (1 - start) * step / settings.warmup_steps
    if settings.schedule == "constant":
        return 1.0
    first = total - settings.decay(total) if stable_decay else settings.warmup_steps
    part = max(0.0, (step - first) / (total - first))
    fall = (1 + math.cos(math.pi * part)) / 2 if settings.schedule == "cosine" else 1 - part
    return final + (1 - final) * fall
