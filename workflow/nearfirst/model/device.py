"""The GPU or the CPU that a process computes on."""

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
    """Return the first GPU if there is one, else the CPU.

    Raises
    ------
    InputError
        If the process was given a GPU that PyTorch cannot use: what takes an hour there takes days
        on the CPU.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return torch.device("cuda")
    given, driver = visible_gpus.given(), visible_gpus.driver()
    if given and driver:
        said = next((str(warning.message).split(" (Triggered")[0] for warning in caught), "")
        built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
        raise InputError(
            f"this job was given a GPU ({given}), but PyTorch {torch.__version__}, built with "
            f"{built}, cannot use it under the node's NVIDIA driver {driver}"
            + (f" ({' '.join(said.split())})" if said else "")
            + "; have the driver updated, or install a PyTorch built for its CUDA (pytorch.org, "
            "'Previous versions'); to compute on the CPU, set CUDA_VISIBLE_DEVICES to nothing"
        )
    return torch.device("cpu")


def check_count(gpus: int) -> None:
    """Check that a process for each of several GPUs has one of its own; without any, CPUs do.

    Raises
    ------
    InputError
        If fewer are visible; else as `device`.
    """
    if device().type == "cpu":
        if gpus > 1:
            logging.warning("hardware.train.gpus: no GPU here; %d processes on the CPU", gpus)
        return
    visible = torch.cuda.device_count()
    if visible < gpus:
        which = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
        raise InputError(
            f"hardware.train.gpus: {gpus} are asked for, but {visible} visible here "
            f"(CUDA_VISIBLE_DEVICES: {which}); lower it to {visible}, or run on a node with {gpus}"
        )


def keep_freed_memory() -> None:
    """Have a process on a CPU keep the memory of freed tensors for the next ones.

    glibc gives that of large ones back to the system, which clears it, page by page, for the next.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:  # glibc's; the numbers are those of its malloc.h
        mallopt(-4, 0)  # M_MMAP_MAX: no allocation is a mapping of its own
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: the heap does not shrink


@contextmanager
def deterministic(enabled: bool = True) -> Iterator[None]:
    """Have PyTorch compute the same bytes on every run of the same machine, if enabled.

    Where it should only warn, the backward passes of attention (flash, memory-efficient) add in any
    order; told to raise, they take their deterministic forms.

    Raises
    ------
    InputError
        If the model has an operation without a deterministic form.
    """
    if not enabled:
        yield
        return
    # Else cuBLAS shares its workspace out by chance.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    # Every new tensor would be filled first, for nothing: none is read before it is written.
    memory.fill_uninitialized_memory = False
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if "does not have a deterministic implementation" not in str(error):
            raise
        operation = str(error).split(" does not")[0]
        raise InputError(
            f"train.deterministic: {operation}, which this model computes with, has no "
            "deterministic form here; set it to false: the last bits then differ from run to run"
        ) from error
    finally:
        torch.use_deterministic_algorithms(False)
        memory.fill_uninitialized_memory = filled
