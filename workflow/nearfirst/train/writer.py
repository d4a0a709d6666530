"""Checkpoints, written in a thread while training goes on."""

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from nearfirst.common.files import remove, sha256
from nearfirst.model.adapter import has_adapter, weights_file
from nearfirst.model.checkpoints import step_folder

SAVE_OPTIONS: dict[str, Any] = {"save_original_format": False, "max_shard_size": "1TB"}
"""Options of `save_pretrained`: weights in one file, named like the model's parameters."""


class CheckpointWriter:
    """Writer of whole models to `checkpoints/step-000010/` and so on in `work`, one at a time.

    A checkpoint is complete once `wait` returns: wait before relying on it. A checkpoint cut off by
    a kill is newer than the last state and is removed when the job resumes. `sums` holds the
    SHA-256 of each weights file.
    """

    def __init__(self, model: Any, tokenizer: Any, work: Path) -> None:
        self.checkpoints = work / "checkpoints"
        # The files that all checkpoints share: everything but the weights.
        self.shared = work / "same"
        remove(self.shared)
        self.weights = weights_file(model)
        if has_adapter(model):
            model.save_pretrained(self.shared)
        else:  # without weights: no tensor is written
            model.save_pretrained(self.shared, state_dict={}, **SAVE_OPTIONS)
        for path in self.shared.glob("*.safetensors*"):
            path.unlink()
        tokenizer.save_pretrained(self.shared)
        self.thread = ThreadPoolExecutor(1, "checkpoints")
        self.writing: Future[None] | None = None
        self.copy: dict[str, torch.Tensor] = {}
        self.sums: dict[Path, str] = {}

    def save(self, step: int, weights: Mapping[str, torch.Tensor], dtype: torch.dtype) -> None:
        """Copy a step's weights to CPU memory and start writing them.

        Raises any error from writing the previous checkpoint.
        """
        self.wait()
        for name, tensor in weights.items():
            if name not in self.copy:  # pinned memory is slow to allocate, so keep it
                self.copy[name] = torch.empty(
                    tensor.shape, dtype=dtype, pin_memory=torch.cuda.is_available()
                )
            self.copy[name].copy_(tensor, non_blocking=True)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.writing = self.thread.submit(self._write, step_folder(self.checkpoints, step))

    def wait(self) -> None:
        """Wait until the current checkpoint is written; raise any error from writing it."""
        writing, self.writing = self.writing, None
        if writing:
            writing.result()

    def _write(self, folder: Path) -> None:
        remove(folder)
        folder.mkdir(parents=True)
        save_file(self.copy, folder / self.weights, metadata={"format": "pt"})
        self.sums[folder / self.weights] = sha256(folder / self.weights)
        for path in self.shared.iterdir():
            try:
                os.link(path, folder / path.name)
            except OSError:  # a file system without links
                shutil.copyfile(path, folder / path.name)
