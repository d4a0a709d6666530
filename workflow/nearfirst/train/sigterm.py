"""SIGTERM, which SLURM sends before preempting a job, at its time limit, and on `scancel`."""

import signal

from nearfirst.common.errors import InputError


class StoppedError(InputError):
    """A job was stopped and has saved its work."""

    exit_code = 128 + signal.SIGTERM


def stopped_after(step: int) -> StoppedError:
    """Return the error for a job that has saved its state after a step."""
    return StoppedError(
        f"stopped by SIGTERM after step {step}; the state is saved: run again to resume"
    )
