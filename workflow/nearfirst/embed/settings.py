"""Settings that every row of the config table `representations` shares."""

from typing import ClassVar

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section


class RepresentationSettings(Section):
    """What stands for an instance: one vector. Each kind has a class of its own."""

    of_query: ClassVar[frozenset[str]] = frozenset()
    """Keys that are read for queries alone."""

    of_model: ClassVar[bool] = False
    """Whether the base model gives it, in the template of training."""

    kind: str = Field(description="`text`, `hidden` or `gradient`.")
    max_cut_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A larger share of texts that are longer than the encoder reads is an error; a "
        "smaller one is a warning. 1 allows all.",
    )
    threads: PositiveInt = Field(2, description="CPU threads. Part of the result: sums differ.")

    def references(self) -> list[tuple[str, str, str]]:
        """Return the keys that name rows of other tables: the key, what it names, the name."""
        return []


class OfModel(RepresentationSettings):
    """What the base model gives; of several, that of the first seed."""

    of_model: ClassVar[bool] = True
