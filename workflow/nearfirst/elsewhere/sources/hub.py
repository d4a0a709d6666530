"""Commits of a repository on the Hugging Face hub, as in public suites of checkpoints."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from nearfirst.common.hub import HUB_ID, HubSettings
from nearfirst.elsewhere.settings import CheckpointSettings


class Settings(CheckpointSettings):
    """Checkpoints stored as commits of one repository on the Hugging Face hub."""

    source: Literal["hub"] = "hub"
    name: str = Field(
        pattern=f"^{HUB_ID}$", description="Repository, such as `EleutherAI/pythia-70m`."
    )
    steps: dict[NonNegativeInt, str] = Field(
        min_length=1,
        description="Each step and its commit (40 hex digits). Branches and tags can move: `git "
        "ls-remote https://huggingface.co/NAME` lists their commits.",
    )
    files: list[str] = Field(
        ["*.json", "*.safetensors", "tokenizer*"],
        min_length=1,
        description="Patterns of the files to fetch: weights in one format, config, tokenizer.",
    )

    @model_validator(mode="after")
    def _commits_are_hashes(self) -> Self:
        for step, commit in self.steps.items():
            if not re.fullmatch(r"[0-9a-f]{40}", commit):
                raise ValueError(
                    f"steps.{step}: {commit!r} is not a commit of 40 hex digits; git ls-remote "
                    f"https://huggingface.co/{self.name} lists those of branches and tags"
                )
        return self

    @property
    def origin(self) -> str:
        """The repository."""
        return self.name

    def remote(self, step: int) -> HubSettings:
        """Return the files to fetch for a step."""
        return HubSettings(
            repository=self.name, kind="model", revision=self.steps[step], files=self.files
        )

    def folders(self, fetched: Path) -> dict[int, Path]:
        """Return the folder of each step, in order of steps."""
        return {step: fetched / str(step) for step in sorted(self.steps)}
