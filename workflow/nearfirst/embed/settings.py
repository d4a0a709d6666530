"""Settings that every row of the config table `representations` shares."""

from typing import ClassVar

from pydantic import Field

from nearfirst.common.settings import Section, Threads


class RepresentationSettings(Section):
    """How an instance becomes a vector. Each kind has its own class."""

    of_query: ClassVar[frozenset[str]] = frozenset()
    """Keys that are read only for queries."""

    uses_base_model: ClassVar[bool] = False
    """Whether the base model computes it, in the training template."""

    kind: str = Field(description="`text`, `hidden` or `gradient`.")
    max_cut_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Largest share of texts that may be longer than the encoder reads. A larger "
        "share is an error, a smaller one a warning; 1 allows all.",
    )
    threads: Threads = 2

    def references(self) -> list[tuple[str, str, str]]:
        """Return the keys that name rows of other tables, as (key, kind of row, name)."""
        return []


class OfBaseModel(RepresentationSettings):
    """A representation from the base model (of the first seed, if there are several)."""

    uses_base_model: ClassVar[bool] = True
