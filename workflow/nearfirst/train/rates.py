"""The learning rate of each step: as numbers, and by the schedulers of transformers."""

import math
from typing import Any

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


def schedule_arguments(settings: TrainSettings, total: int) -> dict[str, Any]:
    """Return the `TrainingArguments` for the schedule of a run of `total` steps.

    A warm-up starts at rate 0, or at `final_rate` with `warmup-stable-decay`.
    """
    schedulers: dict[str, tuple[str, dict[str, Any]]] = {
        "cosine": ("cosine_with_min_lr", {"min_lr": settings.final_rate}),
        # The only straight line in transformers that need not end at zero.
        "linear": ("polynomial", {"lr_end": settings.final_rate, "power": 1.0}),
        "constant": ("constant_with_warmup", {}),
        "warmup-stable-decay": (
            "warmup_stable_decay",
            {
                "num_decay_steps": settings.decay(total),
                "decay_type": "linear",
                "min_lr_ratio": settings.final_rate / settings.learning_rate,
            },
        ),
    }
    name, arguments = schedulers[settings.schedule]
    return {
        "learning_rate": peak_rate(settings, total),
        "lr_scheduler_type": name,
        "lr_scheduler_kwargs": arguments,
        "warmup_steps": settings.warmup_steps,
    }


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
