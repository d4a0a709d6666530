"""Where published files and models can be fetched from."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from nearfirst.common.settings import Section

HUB_ID = r"[\w.-]+(/[\w.-]+)?"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HubSettings(Section):
    """Files of a repository on the Hugging Face hub, at one commit."""

    repository: str = Field(
        "",
        pattern=f"^({HUB_ID})?$",
        description="Repository, such as `HuggingFaceH4/no_robots`. Empty: the data are not on the "
        "hub; set a path to use them.",
    )
    kind: Literal["dataset", "model"] = Field("dataset", description="Kind of the repository.")
    revision: str | None = Field(
        None,
        description="Commit (40 hex digits), so that the files never change; a branch or tag is "
        "refused. Null takes the newest commit, which `fetched.json` then names.",
    )
    files: list[str] = Field(
        ["*"],
        min_length=1,
        description="Patterns of the files that are needed; `*` matches `/` too, and a pattern "
        "without a file is an error.",
    )
    sha256: dict[str, Sha256] = Field(
        {}, description="SHA-256 by file, checked in addition to the hub's checksums."
    )

    @property
    def page(self) -> str:
        """Path of the repository's page on the hub."""
        return f"datasets/{self.repository}" if self.kind == "dataset" else self.repository

    @model_validator(mode="after")
    def _revision_is_a_commit(self) -> Self:
        if self.revision is not None and not re.fullmatch(r"[0-9a-f]{40}", self.revision):
            raise ValueError(
                f"revision: {self.revision!r} is no commit of 40 hex digits, and a branch or tag "
                f"can move; https://huggingface.co/{self.page}/commits/main lists the commits, and "
                "null takes the newest"
            )
        return self


class NamedModel(Section):
    """A model that the user names by its id on the hub or by its folder."""

    name: str | None = Field(None, description="Hugging Face id or folder.")
    revision: str | None = Field(
        None,
        description="Commit of a Hugging Face id (40 hex digits); null fetches the newest.",
    )
    files: list[str] = Field(
        ["*.json", "*.safetensors", "tokenizer*"],
        min_length=1,
        description="Patterns of the files that are fetched: weights in one format, tokenizer.",
    )

    @model_validator(mode="after")
    def _can_be_fetched(self) -> Self:
        if self.name and not Path(self.name).is_dir():
            self.hub()
        return self

    def hub(self) -> HubSettings:
        """Return the files to fetch; raise ValueError if `name` or `revision` is not valid."""
        try:
            return HubSettings(
                repository=self.name or "",
                kind="model",
                revision=self.revision,
                files=self.files,
            )
        except ValidationError as error:
            fault = error.errors()[0]
            if fault["loc"] == ("repository",):
                raise ValueError(
                    f"name: {self.name!r} is neither a folder here nor a Hugging Face id"
                ) from None
            raise ValueError(fault["msg"].removeprefix("Value error, ")) from None
