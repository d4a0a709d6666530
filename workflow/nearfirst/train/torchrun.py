"""One process for each GPU, by torchrun."""

import signal
import sys
from tempfile import TemporaryDirectory
from typing import Any

from nearfirst.common.errors import InputError

# Seconds to save the state after a SIGTERM: 81 GB for LLaMA-2-7B at 45 MB/s. Then torchrun kills
# the remaining processes, as it must if one has failed and the others wait for it.
GRACE = 1800
# Seconds that processes wait for each other: the first may read and hash two such states, or write
# one. (If a process fails, torchrun ends the others, whatever they wait for.)
PATIENCE = 3 * GRACE


class StoppedError(InputError):
    """A job was stopped and has saved its work.

    SLURM sends SIGTERM before preempting a job, at its time limit, and on `scancel`.
    """

    exit_code = 128 + signal.SIGTERM


def launch(gpus: int) -> None:
    """Run this program in `gpus` processes, and wait for them.

    Raises StoppedError after a SIGTERM, which the processes have received too, with time to save
    their state; InputError if a process failed.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    def stop(number: int, _: Any) -> None:
        # Only the first SIGTERM: another would end torchrun's wait for the processes.
        signal.signal(number, signal.SIG_IGN)
        raise SignalException("stopped", signal.Signals(number))

    signal.signal(signal.SIGTERM, stop)
    flags = ["--standalone", "--nnodes", "1", "--nproc-per-node", str(gpus)]
    flags += ["--shutdown-timeout", str(GRACE)]
    flags += ["--local-addr", "127.0.0.1"]  # not every machine finds itself by its name
    flags += ["--signals-to-handle", "SIGINT,SIGHUP,SIGQUIT"]  # `stop` handles SIGTERM
    stopped = StoppedError("stopped by SIGTERM; all work so far is saved: run again to resume")
    try:
        with TemporaryDirectory() as logs:  # torchrun would leave its own behind
            words = [*flags, "--log-dir", logs, "--", *sys.argv]
            run(parse_args(words))  # type: ignore[no-untyped-call]
    except SignalException as error:
        if error.sigval != signal.SIGTERM:
            raise
        raise stopped from error
    except ChildFailedError as error:
        if any(failure.exitcode == StoppedError.exit_code for failure in error.failures.values()):
            raise stopped from error
        raise InputError(f"training on {gpus} GPUs failed") from error


def end_with_launcher() -> None:
    """Have the kernel kill this process when its launcher is gone, and SIGINT end it at once.

    Otherwise it would go on training in a folder whose lock is free; and Python acts on SIGINT only
    between two operations, so not while one waits for a GPU whose process has ended already.
    """
    from torch.multiprocessing import _prctl_pr_set_pdeathsig  # type: ignore[attr-defined]

    _prctl_pr_set_pdeathsig(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
