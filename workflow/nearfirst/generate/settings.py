"""Settings of generation (Table 3 of the paper)."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from nearfirst.common.settings import Section


class GenerateSettings(Section):
    """How a checkpoint answers."""

    max_new_tokens: PositiveInt = Field(128, description="Largest number of tokens in an answer.")
    do_sample: bool = Field(True, description="Sample each token; false takes the likeliest.")
    temperature: PositiveFloat = Field(0.9, description="Temperature of the sampling.")
    top_p: float = Field(
        0.9, gt=0, le=1, description="Sample from the likeliest tokens of at least this mass."
    )
    repetition_penalty: PositiveFloat = Field(
        1.2,
        description="Lowers the logits of tokens that prompt or answer hold already: divides those "
        "above zero, multiplies the others; 1: none.",
    )
    seed: NonNegativeInt = Field(
        0,
        description="Seed of the sampling, beside the run's seed, the step and the instance's id.",
    )
    precision: Literal["float64", "float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Arithmetic; float16 needs a GPU, and bfloat16 keeps float32 weights. Batches "
        "round differently, so in a rare tie an answer may depend on the batch size. In float64 "
        "this has not been seen, but some families (Gemma 2, BLOOM, MPT, mixtures of experts) do "
        "not support it. In float16 it is not rare: it changes several answers in a hundred, and "
        "more where answers are long; bfloat16 rounds more coarsely yet. So float32 is not TF32.",
    )
    threads: PositiveInt = Field(1, description="CPU threads. Part of the result: sums differ.")
