"""Settings of the evaluation of checkpoints."""

from typing import Literal

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section, Threads


class EvaluateSettings(Section):
    """The loss of every test instance at every checkpoint."""

    batch_tokens: PositiveInt = Field(
        4096, description="Tokens in one forward pass, padding included."
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Arithmetic of the forward pass. float32 is TF32 on a GPU; bfloat16 multiplies "
        "float32 weights in bfloat16; float16, also of the weights, needs a GPU.",
    )
    average: PositiveInt = Field(
        1,
        description="Number of checkpoints whose mean weights are evaluated, also for answers and "
        "in lm_eval: each checkpoint and those before it, if there are any. 1: each on its own, "
        "the only value for adapters.",
    )
    also: tuple[str, ...] = Field(
        (),
        description="Data sets on whose test sets the loss is also measured, to see what an order "
        "costs elsewhere: in figures of `kind: query-gap`, and in `elsewhere_NAME` of your data.",
    )
    threads: Threads = 1
