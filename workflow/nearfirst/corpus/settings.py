"""Settings of the generated corpora."""

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section


class CorpusSettings(Section):
    """Corpora generated for data sets that have neither a path nor a hub repository."""

    seed: int = Field(0, description="Seed of the generated instances.")
    instances_per_task: PositiveInt = Field(
        60, description="Instances written for each task; fewer if it has fewer."
    )
    conversations: PositiveInt = Field(
        900, description="Conversations written for each of the two dialogue data sets."
    )

    def canonical_for(self, form: str) -> str:
        """Return the settings that the generation of one format reads, as canonical JSON."""
        is_dialogue = form in ("sharegpt", "norobots")
        return self.canonical({"instances_per_task" if is_dialogue else "conversations"})
