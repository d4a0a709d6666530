"""Folders on this machine."""

import glob
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from nearfirst.common.errors import InputError
from nearfirst.elsewhere.settings import CheckpointSettings

STEP = "{step}"


class Settings(CheckpointSettings):
    """Checkpoints in folders, as `save_pretrained` and the trainers that use it write them."""

    source: Literal["folders"] = "folders"
    path: str | None = Field(
        None,
        description="The folders, `{step}` in place of the number: `runs/checkpoint-{step}`.",
    )
    steps: list[NonNegativeInt] | dict[NonNegativeInt, str] | None = Field(
        None,
        description="Which steps of `path`, null being all that are there when Snakemake starts; "
        "or, without `path`, each step and its folder.",
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.path is None) != isinstance(self.steps, dict):
            raise ValueError(
                "path: give a pattern such as runs/checkpoint-{step}, or in `steps` a folder for "
                "each step, and not both"
            )
        if self.path is not None and self.path.count(STEP) != 1:
            raise ValueError(f"path: {self.path!r} must hold {STEP} once")
        if not self.steps and self.steps is not None:
            raise ValueError("steps: there is none")
        return self

    @property
    def origin(self) -> str:
        """The pattern of the folders, or the first one."""
        return self.path or str(next(iter(self.folders(Path()).values())))

    def folders(self, fetched: Path) -> dict[int, Path]:
        """Return the folder of each step, in order of steps."""
        if isinstance(self.steps, dict):
            return {step: Path(self.steps[step]) for step in sorted(self.steps)}
        before, _, after = str(self.path).partition(STEP)
        found: dict[int, Path] = {}
        pattern = f"{glob.escape(before)}*{glob.escape(after)}"
        for name in sorted(glob.glob(pattern)):  # noqa: PTH207 (it may be absolute, or not)
            number = name[len(before) : len(name) - len(after)]
            if not number.isdecimal():
                continue
            if (step := int(number)) in found:
                raise InputError(f"path: {found[step]} and {name} are both of step {step}")
            found[step] = Path(name)
        if not found:
            raise InputError(f"path: {self.path!r}: no such folder with a number for {STEP}")
        if missing := sorted({*(self.steps or found)} - {*found}):
            raise InputError(
                f"steps: {self.path!r} has no step {missing[0]}; it has "
                f"{', '.join(map(str, sorted(found)))}"
            )
        return {step: found[step] for step in sorted(self.steps or found)}
