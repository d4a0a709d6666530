"""Checkpoints written in a thread while training goes on."""

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from nearfirst.common.files import remove
from nearfirst.model.adapter import has_adapter, weights_file
from nearfirst.model.checkpoints import sha256_of, step_folder

SAVE_OPTIONS: dict[str, Any] = {"save_original_format": False, "max_shard_size": "1TB"}
"""Of `save_pretrained`: weights in one file, by the names of the model's parameters."""


class CheckpointWriter:
    """Writes whole models, `step-000010/` and so on, one at a time.

    A checkpoint is complete once `wait` returns: what counts on it waits first. One that a kill
    has cut off is newer than the last state, and goes when the job resumes. `sums` holds the
    SHA-256 of each file of weights.

    Parameters
    ----------
    model, tokenizer
        All that a checkpoint holds beside its weights comes from them.
    work
        Folder of the job. The checkpoints go below it, into `checkpoints`.
    """

    def __init__(self, model: Any, tokenizer: Any, work: Path) -> None:
        self.checkpoints = work / "checkpoints"
        self.same = work / "same"
        remove(self.same)
        self.weights = weights_file(model)
        if has_adapter(model):
            model.save_pretrained(self.same)
        else:  # without weights: no tensor is written
            model.save_pretrained(self.same, state_dict={}, **SAVE_OPTIONS)
        for path in self.same.glob("*.safetensors*"):
            path.unlink()
        tokenizer.save_pretrained(self.same)
        self.thread = ThreadPoolExecutor(1, "checkpoints")
        self.writing: Future[None] | None = None
        self.copy: dict[str, torch.Tensor] = {}
        self.sums: dict[Path, str] = {}

    def save(self, step: int, weights: Mapping[str, torch.Tensor], dtype: torch.dtype) -> None:
        """Copy the weights of a step to memory of the CPU, and begin to write them.

        Raises what went wrong with the checkpoint before.
        """
        self.wait()
        for name, tensor in weights.items():
            if name not in self.copy:  # pinned memory is slow to get, so it is kept
                self.copy[name] = torch.empty(
                    tensor.shape, dtype=dtype, pin_memory=torch.cuda.is_available()
                )
            self.copy[name].copy_(tensor, non_blocking=True)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.writing = self.thread.submit(self._write, step_folder(self.checkpoints, step))

    def wait(self) -> None:
        """Wait until the checkpoint at hand is written. Raises what went wrong with it."""
        writing, self.writing = self.writing, None
        if writing:
            writing.result()

    def _write(self, folder: Path) -> None:
        remove(folder)
        folder.mkdir(parents=True)
        save_file(self.copy, folder / self.weights, metadata={"format": "pt"})
        self.sums[folder / self.weights] = sha256_of(folder / self.weights, self.copy)
        for path in self.same.iterdir():
            with suppress(OSError):
                os.link(path, folder / path.name)
                continue
            shutil.copyfile(path, folder / path.name)  # a file system without links
