"""Knobs of generation (Table 3 of the paper)."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from nearfirst.common.settings import Section


class GenerateSettings(Section):
    """How a checkpoint answers."""

    max_new_tokens: PositiveInt = Field(128, description="Most tokens of an answer.")
    do_sample: bool = Field(True, description="Draw each token; false takes the likeliest.")
    temperature: PositiveFloat = Field(0.9, description="Of the draw.")
    top_p: float = Field(
        0.9, gt=0, le=1, description="Least mass of the likeliest tokens that are drawn from."
    )
    repetition_penalty: PositiveFloat = Field(
        1.2,
        description="Lowers the logits of tokens that prompt or answer hold already: divides those "
        "above zero, multiplies the others; 1: none.",
    )
    seed: NonNegativeInt = Field(
        0, description="Seed of the draws, beside the run's seed, the step and the instance's id."
    )
    precision: Literal["float64", "float32", "float16"] = Field(
        "float32",
        description="Arithmetic; float16 needs a GPU. Batches round differently, so that in a "
        "rare tie one answer may depend on the batch size; in float64 none is ever seen to, "
        "but some families (Gemma 2, BLOOM, MPT, mixtures of experts) cannot be computed in it. In "
        "float16 it is no rare one: several answers in a hundred do, and more where answers are "
        "long.",
    )
    threads: PositiveInt = Field(1, description="CPU threads. Part of the result: sums differ.")
