"""The GPU or CPU on which a process computes."""

import ctypes
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.deterministic

from nearfirst.common.errors import InputError
from nearfirst.model import visible_gpus


def device() -> torch.device:
    """Return the first GPU if there is one, otherwise the CPU.

    Raises InputError if the process was given a GPU that PyTorch cannot use: an hour on that GPU is
    days on the CPU.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return torch.device("cuda")
    source, driver = visible_gpus.gpu_source(), visible_gpus.driver()
    if source and driver:
        reason = next((str(warning.message).split(" (Triggered")[0] for warning in caught), "")
        cuda = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
        raise InputError(
            f"this job was given a GPU ({source}), but PyTorch {torch.__version__}, built with "
            f"{cuda}, cannot use it under the node's driver, {driver}"
            + (f" ({' '.join(reason.split())})" if reason else "")
            + "; have the driver updated, or install a PyTorch built for its CUDA (pytorch.org, "
            "'Previous versions'); to compute on the CPU, set CUDA_VISIBLE_DEVICES to nothing"
        )
    return torch.device("cpu")


def check_count(gpus: int) -> None:
    """Check that as many GPUs are visible as there are processes; without GPUs, CPUs are used.

    Raises InputError if fewer are visible, or as `device` does.
    """
    if device().type == "cpu":
        if gpus > 1:
            logging.warning("hardware.train.gpus: no GPU here; %d processes on the CPU", gpus)
        return
    visible = torch.cuda.device_count()
    if visible < gpus:
        which = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
        raise InputError(
            f"hardware.train.gpus: {gpus} GPUs requested, but {visible} visible here "
            f"(CUDA_VISIBLE_DEVICES: {which}); lower it to {visible}, or run on a node with {gpus}"
        )


def keep_freed_memory() -> None:
    """Make a process on a CPU reuse the memory of freed tensors.

    By default glibc returns large blocks to the system, which clears them page by page before the
    next use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:  # glibc only; constants from its malloc.h
        mallopt(-4, 0)  # M_MMAP_MAX: no allocation gets a separate mapping
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: the heap does not shrink


@contextmanager
def deterministic(
    enabled: bool = True,
    key: str = "train.deterministic",
    cure: str = "set it to false: the last bits then differ from run to run",
) -> Iterator[None]:
    """Make PyTorch compute the same bytes on every run on the same machine, if enabled.

    With `warn_only`, the backward passes of attention (flash, memory-efficient) still add in any
    order; without it they take their deterministic forms. Raises InputError, which names the config
    key `key` and what to do about it, if the model has an operation without a deterministic form.
    """
    if not enabled:
        yield
        return
    # Otherwise cuBLAS assigns its workspaces nondeterministically.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    options: Any = torch.utils.deterministic
    fill_memory = options.fill_uninitialized_memory
    # Filling every new tensor is wasted work: none is read before it is written.
    options.fill_uninitialized_memory = False
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if "does not have a deterministic implementation" not in str(error):
            raise
        operation = str(error).split(" does not")[0]
        raise InputError(
            f"{key}: {operation}, which this model uses, has no deterministic form here; {cure}"
        ) from error
    finally:
        torch.use_deterministic_algorithms(False)
        options.fill_uninitialized_memory = fill_memory
