"""Progress of a Trainer: lines in the log, and from time to time one on the screen."""

import logging
import time
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback
from transformers.utils import logging as transformers_logging

from nearfirst.common.progress import SCREEN

# The bars that transformers shows for each file it loads or saves.
transformers_logging.disable_progress_bar()


class LogProgress(TrainerCallback):  # type: ignore[misc]
    """Callback that logs loss, rate and time left with the Trainer."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self.first, self.begin = state.global_step, time.monotonic()

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """Log one line."""
        if not logs or "loss" not in logs or not args.should_save:
            return
        step = state.global_step
        rate = max(1, step - self.first) / max(time.monotonic() - self.begin, 1e-9)
        left = (self.stop - step) / rate
        logging.info(
            "step %d of %d: training loss %.4f, gradient norm %.3f, learning rate %.3g, "
            "%.2f steps/s, %.0f s left",
            *(step, self.stop, logs["loss"], logs["grad_norm"], logs["learning_rate"]),
            *(rate, left),
        )
        SCREEN.show(f"step {step} of {self.stop}, loss {logs['loss']:.3f}, {left:.0f} s left")


def log_progress(trainer: Trainer, stop: int) -> None:
    """Make a Trainer log its progress towards step `stop` instead of what it prints by default."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(LogProgress(stop))
