"""Which GPUs a process sees. Kept apart from all that imports torch, which would look too early."""

import os


def keep_one_gpu() -> None:
    """Hide all GPUs but the first that is visible; call it before torch is imported.

    With several in sight of one process the Trainer spreads a batch over them and makes it as many
    times larger, so that the machine would decide what a step holds.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]
