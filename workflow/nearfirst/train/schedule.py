"""The learning rate of each step, by the schedulers of transformers."""

from typing import Any

from nearfirst.train.rates import peak_rate
from nearfirst.train.settings import TrainSettings


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
