"""The data sets of the config."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import Section
from nearfirst.data.formats.chat import Settings as Chat
from nearfirst.data.formats.flan import Settings as Flan
from nearfirst.data.formats.niv2 import Settings as Niv2
from nearfirst.data.formats.norobots import Settings as NoRobots
from nearfirst.data.formats.p3 import Settings as Prompted
from nearfirst.data.formats.sharegpt import Settings as ShareGpt

AnyDataset = Annotated[
    Flan | Niv2 | Prompted | ShareGpt | NoRobots | Chat,
    Field(discriminator="format"),
]


class DataSettings(Section):
    """All data sets."""

    flan: Flan = Flan()
    niv2: Niv2 = Niv2()
    p3: Prompted = Prompted(test="generalist-0")
    sharegpt: ShareGpt = ShareGpt()
    norobots: NoRobots = NoRobots()
    mine: Chat | None = None

    @model_validator(mode="after")
    def _own_data_have_a_path(self) -> Self:
        if self.mine and not self.mine.path:
            raise ValueError(
                "mine.path: set it to your pool, a .jsonl or .parquet file or a folder of them"
            )
        return self

    def by_name(self) -> "dict[str, AnyDataset]":
        """Return the data sets by the name in their paths, `mine` only if it is set.

        `flan_full` is Flan-mini with all instances of its training tasks (Section C.3).
        """
        everything = self.flan.sample.model_copy(update={"train_per_task": None})
        full = self.flan.model_copy(update={"sample": everything, "keep_distances": False})
        every = {name: getattr(self, name) for name in type(self).model_fields}
        return {**{name: its for name, its in every.items() if its}, "flan_full": full}
