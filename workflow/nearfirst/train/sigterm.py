"""SIGTERM, which SLURM sends before it preempts a job, at a time limit and on `scancel`."""

import signal
from typing import Any

from nearfirst.common.errors import InputError


class StoppedError(InputError):
    """A job was stopped and has saved its work."""

    exit_code = 128 + signal.SIGTERM


def stopped_after(step: int) -> StoppedError:
    """Return the error of a job that has saved its state after a step."""
    return StoppedError(
        f"stopped by SIGTERM after step {step}; the state is saved: run again to resume"
    )


class StopSignal:
    """Notes a SIGTERM instead of ending at once; a second one changes nothing."""

    def __init__(self) -> None:
        self.received = False

    def listen(self) -> None:
        """Start to note it. Before, it ends the process: there is nothing to save yet."""
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: Any) -> None:
        self.received = True
