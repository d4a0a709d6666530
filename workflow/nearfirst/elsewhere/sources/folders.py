"""Folders on this machine."""

import glob
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from nearfirst.common.errors import InputError
from nearfirst.elsewhere.settings import CheckpointSettings

STEP = "{step}"


class Settings(CheckpointSettings):
    """Checkpoints in folders, as `save_pretrained` and the trainers that use it write them."""

    source: Literal["folders"] = "folders"
    path: str | None = Field(
        None,
        description="Pattern of the folders, such as `runs/checkpoint-{step}`.",
    )
    steps: (
        list[NonNegativeInt] | dict[NonNegativeInt, Annotated[str, Field(min_length=1)]] | None
    ) = Field(
        None,
        description="Which steps of `path`; null takes all that exist when Snakemake starts. "
        "Without `path`, the folder of each step.",
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.path is None) != isinstance(self.steps, dict):
            raise ValueError(
                "path: give either a pattern such as runs/checkpoint-{step}, or a folder for each "
                "step in `steps`"
            )
        if self.path is not None and self.path.count(STEP) != 1:
            raise ValueError(f"path: {self.path!r} must contain {STEP} once")
        if not self.steps and self.steps is not None:
            raise ValueError("steps: it is empty; name at least one step")
        return self

    @property
    def origin(self) -> str:
        """The pattern of the folders, or the first one."""
        return self.path or str(next(iter(self.folders(Path()).values())))

    def folders(self, fetched: Path) -> dict[int, Path]:
        """Return the folder of each step, in order of steps."""
        if isinstance(self.steps, dict):
            return {step: Path(self.steps[step]) for step in sorted(self.steps)}
        prefix, _, suffix = str(self.path).partition(STEP)
        folders: dict[int, Path] = {}
        pattern = f"{glob.escape(prefix)}*{glob.escape(suffix)}"
        for name in sorted(glob.glob(pattern)):  # noqa: PTH207 (the path may be absolute)
            number = name[len(prefix) : len(name) - len(suffix)]
            if not number.isdecimal():
                continue
            if (step := int(number)) in folders:
                raise InputError(f"path: {folders[step]} and {name} are both of step {step}")
            folders[step] = Path(name)
        if not folders:
            raise InputError(f"path: {self.path!r}: no such folder with a number for {STEP}")
        if missing := sorted({*(self.steps or folders)} - {*folders}):
            raise InputError(
                f"steps: {self.path!r} has no step {missing[0]}; it has "
                f"{', '.join(map(str, sorted(folders)))}"
            )
        return {step: folders[step] for step in sorted(self.steps or folders)}
