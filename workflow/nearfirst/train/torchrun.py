"""One process for each GPU, by torchrun."""

import signal
import sys
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.train.sigterm import StoppedError

# Seconds for saving the state after a SIGTERM; torchrun kills what is still there afterwards, as
# it must when one process failed and the others wait for it.
GRACE = 600
_STOPPED = "stopped by SIGTERM; what was done is saved: run again to go on"


def launch(gpus: int) -> None:
    """Run this very program in as many processes, and wait for them.

    Raises
    ------
    StoppedError
        If a SIGTERM came. The processes have got it too, and had time to save their state.
    InputError
        If one of them failed.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    def stop(number: int, _: Any) -> None:
        # Only the first: torchrun waits for the processes, and another would end that wait.
        signal.signal(number, signal.SIG_IGN)
        raise SignalException("told to stop", signal.Signals(number))

    signal.signal(signal.SIGTERM, stop)
    flags = ["--standalone", "--nproc-per-node", str(gpus), "--shutdown-timeout", str(GRACE)]
    flags += ["--signals-to-handle", "SIGINT,SIGHUP,SIGQUIT"]  # and SIGTERM, by the above
    try:
        run(parse_args([*flags, "--", *sys.argv]))  # type: ignore[no-untyped-call]
    except SignalException as error:
        if error.sigval != signal.SIGTERM:
            raise
        raise StoppedError(_STOPPED) from error
    except ChildFailedError as error:
        if any(failure.exitcode == StoppedError.exit_code for failure in error.failures.values()):
            raise StoppedError(_STOPPED) from error
        raise InputError(f"training on {gpus} GPUs failed") from error


def end_with_launcher() -> None:
    """Have the kernel end this process when the one that launched it is gone.

    It would train on otherwise, on a folder whose lock is free.
    """
    from torch.multiprocessing import _prctl_pr_set_pdeathsig  # type: ignore[attr-defined]

    _prctl_pr_set_pdeathsig(signal.SIGKILL)
