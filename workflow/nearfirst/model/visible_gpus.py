"""Which GPUs a process was given. No import of torch here: it would look too early."""

import os
import re
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/version")


def keep_one_gpu() -> None:
    """Hide all visible GPUs but the first; call it before torch is imported.

    If one process sees several, the Trainer splits a batch over them and makes it as many times
    larger: the machine would decide what a step holds.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0" if given() else "")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]


def given() -> str | None:
    """Return what gives this process a GPU, in words; None if it has none to look for.

    SLURM gives its jobs GPUs by name. Elsewhere all that the node has may be used, unless
    `CUDA_VISIBLE_DEVICES` hides them.
    """
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS"):
        if name in os.environ:
            value = os.environ[name]
            return None if value in ("", "-1", "NoDevFiles") else f"{name}={value}"
    return None if "SLURM_JOB_ID" in os.environ else "this machine has one"


def driver() -> str | None:
    """Return the version of the NVIDIA driver; None if this node has no such driver."""
    try:
        text = DRIVER.read_text()
    except OSError:
        return None
    found = re.search(r"\d{3,}(\.\d+)+", text)
    return found[0] if found else "of an unknown version"
