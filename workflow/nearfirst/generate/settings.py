"""Settings of generation (Table 3 of the paper)."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from nearfirst.common.settings import Section, Seed, Threads


class GenerateSettings(Section):
    """How a checkpoint generates answers."""

    max_new_tokens: PositiveInt = Field(128, description="Maximum number of tokens in an answer.")
    do_sample: bool = Field(True, description="Sample each token; false takes the most likely one.")
    temperature: PositiveFloat = Field(0.9, description="Temperature of the sampling.")
    top_p: float = Field(
        0.9, gt=0, le=1, description="Sample from the most likely tokens that reach this mass."
    )
    repetition_penalty: PositiveFloat = Field(
        1.2,
        description="Lowers the logits of tokens that are already in the prompt or the answer: "
        "divides those above zero, multiplies the others; 1 turns it off.",
    )
    seed: Seed = Field(
        0,
        description="Seed of the sampling, besides the run's seed, the step and the instance's id.",
    )
    precision: Literal["float64", "float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Arithmetic; float16 needs a GPU, and bfloat16 keeps float32 weights. Batches "
        "round differently, so in a rare tie an answer may depend on the batch size. This has not "
        "been seen in float64, which some families (Gemma 2, BLOOM, MPT, mixtures of experts) do "
        "not support. In float16 several answers in a hundred depend on it, more where answers are "
        "long; bfloat16 rounds even more coarsely. For the same reason float32 is never TF32 here.",
    )
    threads: Threads = 1
