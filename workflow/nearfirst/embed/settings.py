"""Settings that every row of the config table `representations` shares."""

from typing import ClassVar

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section


class RepresentationSettings(Section):
    """What stands for an instance: one vector. Each kind has a class of its own."""

    of_query: ClassVar[frozenset[str]] = frozenset()
    """Keys that are read for queries alone."""

    kind: str = Field(description="`text`.")
    max_cut_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A larger share of texts that are longer than the encoder reads is an error; a "
        "smaller one is a warning. 1 allows all.",
    )
    threads: PositiveInt = Field(2, description="CPU threads. Part of the result: sums differ.")
