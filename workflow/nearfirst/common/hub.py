"""Where published files and models can be fetched from."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nearfirst.common.settings import Section

HUB_ID = r"[\w.-]+(/[\w.-]+)?"


def _check_commit(revision: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise ValueError(
            f"{revision!r} is no commit of 40 hex digits, and a branch or tag can move; the "
            "repository's page lists its commits, and null takes the newest"
        )
    return revision


Commit = Annotated[str, AfterValidator(_check_commit)]
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
    revision: Commit | None = Field(
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


class PackageSettings(Section):
    """Files of a Python package, which is neither installed nor run."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        description="Name of the package.",
    )
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.!+_-]*$", description="Version, exactly.")
    sha256: Sha256 = Field(description="SHA-256 of its wheel.")
    files: list[str] = Field(
        ["*"],
        min_length=1,
        description="Patterns of the files that are needed; `*` matches `/` too, and a pattern "
        "without a file is an error.",
    )


class NamedModel(Section):
    """A model that the user names by its id on the hub or by its folder."""

    name: str | None = Field(None, description="Hugging Face id or folder.")
    revision: Commit | None = Field(
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
        name = self.name or ""
        if not re.fullmatch(f"({HUB_ID})?", name) and not Path(name).is_dir():
            raise ValueError(f"name: {name!r} is neither a folder here nor a Hugging Face id")
        return self

    def hub(self) -> HubSettings:
        """Return the files to fetch if `name` is the id of a repository."""
        return HubSettings(
            repository=self.name or "", kind="model", revision=self.revision, files=self.files
        )
