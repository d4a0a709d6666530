"""The learning rate of each step as numbers; `schedule.py` sets up the same for the Trainer."""

import math

from nearfirst.train.settings import TrainSettings


def rates(settings: TrainSettings, total: int) -> list[float]:
    """Return the rate of each of `total` steps; their sum is the run's dose."""
    peak = peak_rate(settings, total)
    return [peak * _fraction(settings, step, total) for step in range(total)]


def peak_rate(settings: TrainSettings, total: int) -> float:
    """Return the highest rate of a run of `total` steps; with `mean_of`, the rates sum to the same.

    Over T steps, half a cosine to zero without warm-up averages (T + 1) / 2T of its peak.
    """
    if settings.mean_of is None:
        return settings.learning_rate
    other = settings.model_copy(update={"schedule": settings.mean_of, "mean_of": None})
    return sum(rates(other, total)) / sum(_fraction(settings, step, total) for step in range(total))


def _fraction(settings: TrainSettings, step: int, total: int) -> float:
    """Return the rate of a step (from 0) as a fraction of the peak."""
    final = settings.final_rate / settings.learning_rate
    stable_decay = settings.schedule == "warmup-stable-decay"
    if step < settings.warmup_steps:
        start = final if stable_decay else 0.0
        return start + (1 - start) * step / settings.warmup_steps
    if settings.schedule == "constant":
        return 1.0
    first = total - settings.decay(total) if stable_decay else settings.warmup_steps
    progress = max(0.0, (step - first) / (total - first))
    cosine = settings.schedule == "cosine"
    level = (1 + math.cos(math.pi * progress)) / 2 if cosine else 1 - progress
    return final + (1 - final) * level
