"""Where a published file can be fetched from."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nearfirst.settings.base import Section

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HubSettings(Section):
    """Files of a repository on the Hugging Face hub, at one commit."""

    repository: str = Field(
        "",
        pattern=r"^([\w.-]+(/[\w.-]+)?)?$",
        description="Repository, such as `HuggingFaceH4/no_robots`. Empty: these data are not on "
        "the hub, and whoever needs them gives a path.",
    )
    kind: Literal["dataset", "model"] = Field("dataset", description="Kind of the repository.")
    revision: str | None = Field(
        None,
        description="Commit (40 hex digits), so that the files are the same for ever; a branch or "
        "tag is refused. Null takes the newest commit, which `fetched.json` then names.",
    )
    files: list[str] = Field(
        ["*"],
        min_length=1,
        description="Patterns of the files that are needed; `*` matches `/` too, and a pattern "
        "without a file is an error.",
    )
    sha256: dict[str, Sha256] = Field(
        {}, description="File to SHA-256, checked beside what the hub itself says."
    )

    @property
    def page(self) -> str:
        """Path of the repository's page on the hub."""
        return f"datasets/{self.repository}" if self.kind == "dataset" else self.repository

    @model_validator(mode="after")
    def _a_commit_stays_what_it_is(self) -> Self:
        if self.revision is not None and not re.fullmatch(r"[0-9a-f]{40}", self.revision):
            raise ValueError(
                f"revision: {self.revision!r} is no commit of 40 hex digits, and a branch or a tag "
                f"can move; https://huggingface.co/{self.page}/commits/main lists the commits, and "
                "null takes the newest"
            )
        return self
