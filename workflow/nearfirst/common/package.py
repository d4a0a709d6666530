"""Data in a Python package: files of one wheel from the package index."""

from pydantic import Field

from nearfirst.common.hub import Sha256
from nearfirst.common.settings import Section


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
