"""Settings of the generated corpora."""

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section, canonical


class CorpusSettings(Section):
    """The corpora that are generated where a data set has neither a path nor a hub repository."""

    seed: int = Field(0, description="Seed of the generated instances.")
    instances_per_task: PositiveInt = Field(
        60, description="Instances written for each task, or all it has."
    )
    conversations: PositiveInt = Field(
        900, description="Conversations written for each of the two dialogue data sets."
    )

    def of(self, form: str) -> str:
        """Return, as canonical JSON, what the generation of one form reads."""
        unread = {"instances_per_task" if form in ("sharegpt", "norobots") else "conversations"}
        return canonical(self.model_dump(exclude=unread))
