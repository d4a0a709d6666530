"""Settings of the base model: an existing one, or a small Llama pretrained here."""

from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from nearfirst.common.hub import NamedModel, PackageSettings
from nearfirst.common.settings import Section, Seed, Threads


class TextSettings(Section):
    """The generated raw text."""

    documents: PositiveInt = Field(30_000, description="Documents of raw text.")
    seed: int = Field(0, description="Seed of the raw text.")


class PretrainSettings(Section):
    """A byte-level BPE tokenizer and a Llama, both from scratch."""

    vocabulary: PositiveInt = Field(2048, description="Tokens of the byte-level BPE tokenizer.")
    hidden_size: PositiveInt = Field(128, description="Width of the model.")
    layers: PositiveInt = Field(4, description="Transformer layers.")
    heads: PositiveInt = Field(4, description="Attention heads.")
    intermediate_size: PositiveInt = Field(352, description="Width of the feed-forward layers.")
    positions: PositiveInt = Field(1024, description="Longest input, in tokens.")
    block: PositiveInt = Field(128, description="Tokens in one packed training sequence.")
    batch_size: PositiveInt = Field(16, description="Sequences a step.")
    steps: PositiveInt = Field(600, description="Pretraining steps.")
    learning_rate: PositiveFloat = Field(3e-3, description="Peak rate; cosine to zero.")
    warmup_steps: NonNegativeInt = Field(20, description="Steps of linear warm-up.")
    weight_decay: float = Field(0.1, ge=0, description="AdamW weight decay.")
    seed: Seed = Field(
        0,
        description="Seed of the initial weights and of the order of blocks; the run's seed is "
        "added or, without `base_per_seed`, the first of `seeds`.",
    )
    threads: Threads = 1

    def llama(self) -> dict[str, Any]:
        """Return the arguments of transformers' `LlamaConfig` that define the model's shape."""
        return {
            "hidden_size": self.hidden_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.intermediate_size,
            "max_position_embeddings": self.positions,
            "tie_word_embeddings": True,
        }


class ModelSettings(NamedModel):
    """The model to tune."""

    name: str | None = Field(
        None,
        min_length=1,
        description="Hugging Face id or folder; null pretrains a small one (`pretrain`).",
    )
    package: PackageSettings | None = Field(
        None,
        description="Instead of `name`, a Python package that contains the model as one GGUF file; "
        "its weights are converted to float32 but stay as coarse as they are.",
    )
    parameters: PositiveInt | None = Field(
        None,
        description="Number of parameters of a Hugging Face id, for the resources of its jobs and "
        "`plan.py`; null counts those of its `*.safetensors`, once fetched.",
    )
    base_per_seed: bool = Field(
        True,
        description="Pretrain one base model for each of `seeds`, on the same text with the same "
        "tokenizer, so that intervals over seeds include the variance between base models. False: "
        "one for all seeds, as with a named model.",
    )
    text: TextSettings = TextSettings()
    pretrain: PretrainSettings = PretrainSettings()

    @property
    def is_pretrained_here(self) -> bool:
        """Whether the base model is pretrained here, on generated text."""
        return self.name is None and self.package is None

    @property
    def bases_vary(self) -> bool:
        """Whether runs with different seeds start from different base models."""
        return self.is_pretrained_here and self.base_per_seed

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if self.name and self.package:
            raise ValueError("package: model.name is set too; set one of the two to null")
        return self


Form = Literal["paper", "published", "chat"]


class TemplateSettings(Section):
    """How a conversation becomes tokens, in training, evaluation and generation."""

    format: Form = Field(
        "paper",
        description="`paper`: `<s>User: …\\nAssistant: …</s>`; `published`: the same, tokenized in "
        "the segments of the paper's code, one of which is `\\nAssistant: `; `chat`: the chat "
        "template of the model's tokenizer.",
    )
    max_length: PositiveInt = Field(1024, description="Tokens kept; the tail is cut.")
