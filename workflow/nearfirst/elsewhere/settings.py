"""Settings that every row of the config table `checkpoints` shares."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from nearfirst.common.named_modules import Registry
from nearfirst.common.settings import Section
from nearfirst.model.files import model_files_read

OF_TRAINING = ("optimizer", "scheduler", "scaler", "rng_state", "trainer_state", "training_args")
"""How names of files begin that only go on with a training."""


def checkpoint_files_read(folder: Path) -> list[Path]:
    """Return what may be read of a checkpoint's folder."""
    files = model_files_read(folder)
    return [file for file in files if not file.name.startswith(OF_TRAINING)]


class CheckpointSettings(Section):
    """Checkpoints of one run, and where they lie."""

    source: str = Field(description="`folders` or `hub`.")
    base: str | None = Field(
        None,
        description="Folder of the model that was tuned, for what the checkpoints lack: tokenizer, "
        "config, the weights under adapters. `model` is that of this config.",
    )

    @model_validator(mode="after")
    def _base_exists(self) -> Self:
        if self.base not in (None, "model") and not Path(str(self.base)).is_dir():
            raise ValueError(f"base: {self.base!r} is neither model nor a folder here")
        return self

    @property
    def origin(self) -> str:
        """Where the checkpoints are from, as captions put it."""
        raise NotImplementedError

    def folders(self, fetched: Path) -> dict[int, Path]:
        """Return the folder of each step, in order of steps.

        What comes from the hub lies in folders below `fetched`. Raises InputError, which begins
        with a key, if one is not there.
        """
        raise NotImplementedError


SOURCES = Registry[CheckpointSettings]("nearfirst.elsewhere.sources", "source")
