"""SIGTERM, which SLURM sends before preempting a job, at its time limit, and on `scancel`."""

import signal
from typing import Any

from nearfirst.common.errors import InputError


class StoppedError(InputError):
    """A job was stopped and has saved its work."""

    exit_code = 128 + signal.SIGTERM


def stopped_after(step: int) -> StoppedError:
    """Return the error for a job that has saved its state after a step."""
    return StoppedError(
        f"stopped by SIGTERM after step {step}; the state is saved: run again to resume"
    )


class StopSignal:
    """A record of SIGTERM in place of ending at once; a second SIGTERM changes nothing."""

    def __init__(self) -> None:
        self.received = False

    def listen(self) -> None:
        """Start to record it. Until then it ends the process: there is nothing to save yet."""
        signal.signal(signal.SIGTERM, self._record)

    def _record(self, *_: Any) -> None:
        self.received = True
