"""Progress of a Trainer as lines of a log."""

import logging
import time
from typing import Any

from transformers import PrinterCallback, Trainer, TrainerCallback
from transformers.utils import logging as transformers_logging

# Bars are for a screen; in a log they are noise.
transformers_logging.disable_progress_bar()


class LogProgress(TrainerCallback):  # type: ignore[misc]
    """Logs step, loss and the time left, whenever the Trainer logs."""

    def __init__(self, stop: int) -> None:
        self.stop = stop
        self.first, self.since = 0, time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self.first, self.since = state.global_step, time.monotonic()

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """Log one line."""
        if logs and "loss" in logs and args.should_save:
            done = max(1, state.global_step - self.first)
            seconds = (time.monotonic() - self.since) / done
            logging.info(
                "step %d of %d: training loss %.4f, gradient norm %.3f, rate %.3g, %.0f s left",
                *(state.global_step, self.stop, logs["loss"], logs["grad_norm"]),
                *(logs["learning_rate"], seconds * (self.stop - state.global_step)),
            )


def log_progress(trainer: Trainer, stop: int) -> None:
    """Let a Trainer log its way to the step `stop`, in place of what it prints by itself."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(LogProgress(stop))
