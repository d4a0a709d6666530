"""The learning rate of each step, by the schedulers of transformers."""

from typing import Any

from nearfirst.train.settings import TrainSettings


def schedule_arguments(settings: TrainSettings, total: int) -> dict[str, Any]:
    """Return the `TrainingArguments` of the schedule of a run of `total` steps.

    The first step of a warm-up has the rate 0, or `final_rate` with `warmup-stable-decay`.
    """
    names = {
        "cosine": "cosine_with_min_lr",
        # The one straight line of transformers that need not end at zero.
        "linear": "polynomial",
        "constant": "constant_with_warmup",
        "warmup-stable-decay": "warmup_stable_decay",
    }
    own = {
        "cosine": {"min_lr": settings.final_rate},
        "linear": {"lr_end": settings.final_rate, "power": 1.0},
        "constant": {},
        "warmup-stable-decay": {
            "num_decay_steps": settings.decay(total),
            "decay_type": "linear",
            "min_lr_ratio": settings.final_rate / settings.learning_rate,
        },
    }
    return {
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": names[settings.schedule],
        "lr_scheduler_kwargs": own[settings.schedule],
        "warmup_steps": settings.warmup_steps,
    }
