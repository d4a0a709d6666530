"""Settings that every row of the config table `checkpoints` shares."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from nearfirst.common.named_modules import Registry
from nearfirst.common.settings import Section
from nearfirst.model.files import model_files_read

TRAINER_FILES = ("optimizer", "scheduler", "scaler", "rng_state", "trainer_state", "training_args")
"""Prefixes of files that serve only to resume training."""


def checkpoint_files_read(folder: Path) -> list[Path]:
    """Return the files that may be read from a checkpoint's folder."""
    files = model_files_read(folder)
    return [file for file in files if not file.name.startswith(TRAINER_FILES)]


class CheckpointSettings(Section):
    """Checkpoints of one run, and where they are."""

    source: str = Field(description="`folders` or `hub`.")
    base: str | None = Field(
        None,
        min_length=1,
        description="Folder of the model that was tuned, for what the checkpoints lack: tokenizer, "
        "config, weights under adapters. `model` stands for the model of this config.",
    )

    @model_validator(mode="after")
    def _base_exists(self) -> Self:
        if self.base not in (None, "model") and not Path(str(self.base)).is_dir():
            raise ValueError(f"base: {self.base!r} is neither `model` nor a folder here")
        return self

    @property
    def origin(self) -> str:
        """Where the checkpoints come from, for captions."""
        raise NotImplementedError

    def folders(self, fetched: Path) -> dict[int, Path]:
        """Return the folder of each step, in order of steps.

        Checkpoints from the hub are in folders below `fetched`. Raises InputError, which begins
        with a key, if a folder is missing.
        """
        raise NotImplementedError


SOURCES = Registry[CheckpointSettings]("nearfirst.elsewhere.sources", "source")
