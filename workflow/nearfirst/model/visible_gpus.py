"""Which GPUs a process was given. Must not import torch, which would look for GPUs too early."""

import os
from contextlib import suppress
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/version")


def keep_one_gpu() -> None:
    """Hide all visible GPUs but the first; call this before importing torch.

    If one process sees several GPUs, the Trainer multiplies the batch by their number: the machine
    would decide what a step holds.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0" if gpu_source() else "")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]


def gpu_source() -> str | None:
    """Return a phrase naming what gives this process a GPU; None if it should not look for one.

    SLURM assigns GPUs to jobs by name. Elsewhere all GPUs of the node may be used, unless
    `CUDA_VISIBLE_DEVICES` hides them.
    """
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS"):
        if name in os.environ:
            value = os.environ[name]
            return None if value in ("", "-1", "NoDevFiles") else f"{name}={value}"
    return None if "SLURM_JOB_ID" in os.environ else "this machine has one"


def driver() -> str | None:
    """Return the line that names this node's NVIDIA driver; None if it has none."""
    with suppress(OSError):
        return DRIVER.read_text().partition("\n")[0]
    return None
