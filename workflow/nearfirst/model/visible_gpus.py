"""Which GPUs a process sees. No import of torch here: it would look too early."""

import os


def keep_one_gpu() -> None:
    """Hide all visible GPUs but the first; call it before torch is imported.

    If one process sees several, the Trainer splits a batch over them and makes it as many times
    larger: the machine would decide what a step holds.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]
