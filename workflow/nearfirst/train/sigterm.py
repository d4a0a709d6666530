"""SIGTERM, as SLURM sends it before it preempts a job, at a time limit and for `scancel`."""

import signal
from typing import Any

from nearfirst.common.errors import InputError


class StoppedError(InputError):
    """A job was told to end, and has saved what it had done."""

    exit_code = 128 + signal.SIGTERM


def saved_text(step: int) -> str:
    """Return what to say of a job that has saved its state after a step."""
    return f"stopped by SIGTERM after step {step}; the state is saved: run again to go on"


class StopSignal:
    """Notes a SIGTERM in place of ending at once; a second one changes nothing."""

    def __init__(self) -> None:
        self.came = False

    def listen(self) -> None:
        """Begin to note it. Until then it ends the process: there is nothing to save yet."""
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: Any) -> None:
        self.came = True
