"""Settings of the reward model: named in the config, or trained here on generated pairs."""

from typing import Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

from nearfirst.common.hub import NamedModel
from nearfirst.common.settings import Section, Seed, Threads


class RewardTextSettings(Section):
    """The text that a reward model reads."""

    template: str = Field(
        "Human: {instruction}\n\nAssistant: {answer}",
        description="Text of an exchange, with {instruction} and {answer}.",
    )
    max_length: PositiveInt = Field(
        2048,
        description="Tokens kept; a longer text is cut at the start, as the reward is read at the "
        "end.",
    )

    @field_validator("template")
    @classmethod
    def _has_both(cls, value: str) -> str:
        for field in ("{instruction}", "{answer}"):
            if value.count(field) != 1:
                raise ValueError(f"{field} must occur exactly once")
        return value


class RewardScoreSettings(Section):
    """Forward passes of the reward model."""

    batch_tokens: PositiveInt = Field(
        4096, description="Tokens in one forward pass, padding included."
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Arithmetic. float32 is TF32 on a GPU; bfloat16 keeps float32 weights and "
        "multiplies in bfloat16, except in the head; float16 stores weights in float16 too and "
        "needs a GPU.",
    )
    threads: Threads = 1


class PreferenceSettings(Section):
    """Generated pairs of a gold answer and a corrupted one."""

    datasets: list[str] = Field(
        ["niv2", "p3", "flan"],
        min_length=1,
        description="Data sets whose training instances become pairs.",
    )
    max_per_dataset: PositiveInt = Field(
        1000, description="Maximum number of instances per data set, drawn by the seed."
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, description="Share of the tasks held out to measure the accuracy."
    )
    seed: Seed = Field(0, description="Seed of the draw and of the corruptions.")


class RewardTrainingSettings(Section):
    """Bradley–Terry training of a small reward model, from the base model's weights."""

    epochs: PositiveInt = Field(1, description="Passes over the pairs.")
    batch_size: PositiveInt = Field(16, description="Pairs per step.")
    learning_rate: PositiveFloat = Field(3e-4, description="Peak learning rate; cosine to zero.")
    warmup_steps: NonNegativeInt = Field(10, description="Steps of linear warm-up.")
    seed: Seed = Field(0, description="Seed of the head and of the order of pairs.")
    threads: Threads = 1


class RewardSettings(NamedModel):
    """The reward model that scores the answers."""

    name: str | None = Field(
        None,
        min_length=1,
        description="Hugging Face id or folder of a reward model with UltraRM's architecture, or "
        "of a sequence classifier with one label; null trains a small one (`preferences`, "
        "`training`).",
    )
    parameters: PositiveInt | None = Field(
        None,
        description="Parameters of a named model, for the resources of its jobs; null counts those "
        "of its `*.safetensors`, once downloaded.",
    )
    text: RewardTextSettings = RewardTextSettings()
    scoring: RewardScoreSettings = RewardScoreSettings()
    preferences: PreferenceSettings = PreferenceSettings()
    training: RewardTrainingSettings = RewardTrainingSettings()
