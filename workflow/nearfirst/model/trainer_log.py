"""Progress of a Trainer: lines in the log, and a bar where stderr is a terminal."""

import logging
import sys
import time
from typing import Any

from tqdm import tqdm
from transformers import PrinterCallback, Trainer, TrainerCallback
from transformers.utils import logging as transformers_logging

from nearfirst.common.progress import SCREEN

# The bars of transformers itself, for each file that it loads or saves.
transformers_logging.disable_progress_bar()


class LogProgress(TrainerCallback):  # type: ignore[misc]
    """Logs loss, rate and time left whenever the Trainer logs, and shows the steps as a bar."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock and the bar."""
        self.first, self.since = state.global_step, time.monotonic()
        hidden = not (args.should_save and sys.stderr.isatty())
        self.bar = tqdm(None, "steps", self.stop, initial=self.first, unit="", disable=hidden)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move the bar."""
        self.bar.update(state.global_step - self.bar.n)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """Log one line."""
        if not logs or "loss" not in logs or not args.should_save:
            return
        step = state.global_step
        rate = max(1, step - self.first) / max(time.monotonic() - self.since, 1e-9)
        with self.bar.external_write_mode():
            logging.info(
                "step %d of %d: training loss %.4f, gradient norm %.3f, learning rate %.3g, "
                "%.2f steps/s, %.0f s left",
                *(step, self.stop, logs["loss"], logs["grad_norm"], logs["learning_rate"]),
                *(rate, (self.stop - step) / rate),
            )
        left = (self.stop - step) / rate
        SCREEN.show(f"step {step} of {self.stop}, loss {logs['loss']:.3f}, {left:.0f} s left")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End the bar."""
        self.bar.close()


def log_progress(trainer: Trainer, stop: int) -> None:
    """Let a Trainer report its way to the step `stop`, in place of what it prints by itself."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(LogProgress(stop))
