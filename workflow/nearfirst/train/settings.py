"""Settings of instruction tuning (Table 2 of the paper and Section A.3)."""

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from nearfirst.common.settings import Section


class TrainSettings(Section):
    """One pass over an arrangement, in its order."""

    steps: PositiveInt | Literal["epoch"] = Field(
        "epoch", description="Optimizer steps; `epoch` trains on the whole arrangement."
    )
    segment_steps: PositiveInt | None = Field(
        None,
        description="Steps in one training job; null trains in one job. Needs a number of `steps`.",
    )
    batch_size: PositiveInt = Field(16, description="Instances in a step, over all GPUs.")
    micro_batch_size: PositiveInt = Field(
        8, description="Instances in a forward pass on one device; divides `batch_size`."
    )
    learning_rate: PositiveFloat = Field(
        1e-6, description="Learning rate of the first step; cosine to zero, no warm-up."
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="Adam's first moment.")
    beta2: float = Field(0.95, ge=0, lt=1, description="Adam's second moment.")
    epsilon: PositiveFloat = Field(1e-5, description="Adam's epsilon.")
    weight_decay: NonNegativeFloat = Field(0.0, description="Decoupled weight decay.")
    gradient_clipping: PositiveFloat = Field(1.0, description="Largest gradient norm.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Arithmetic; master weights are float32 in all. float32 is TF32 on a GPU. "
        "bfloat16 is for GPUs from Ampere on and CPUs with AMX or AVX-512 BF16; float16 needs a "
        "GPU, scales the loss dynamically and skips the steps in which that overflows.",
    )
    deterministic: bool = Field(
        True,
        description="The same bytes on every run on a GPU. False allows operations that have no "
        "deterministic form.",
    )
    checkpoint_every: PositiveInt = Field(
        10, description="Steps between checkpoints; step 0 and the last step have one too."
    )
    checkpoint_dtype: Literal["float32", "float16", "bfloat16"] = Field(
        "float32", description="Number format of the saved weights. bfloat16 is refused."
    )
    threads: PositiveInt = Field(1, description="CPU threads. Part of the result: sums differ.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.checkpoint_dtype == "bfloat16":
            raise ValueError(
                "checkpoint_dtype: bfloat16 is refused: near 0.02 its numbers are 1.2e-4 apart, "
                "ten steps at a rate of 1e-6 move a weight by about 1e-5, and most of that is lost "
                "(docs/method.md, 'Precision'); use float32 or float16"
            )
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"micro_batch_size: {self.micro_batch_size} does not divide "
                f"batch_size {self.batch_size}"
            )
        if self.segment_steps is not None:
            if self.steps == "epoch":
                raise ValueError(
                    "segment_steps: segments are part of the DAG, so their number must be known: "
                    "give `steps` as a number, or segment_steps: null"
                )
            if self.segment_steps % self.checkpoint_every:
                raise ValueError(
                    f"segment_steps: {self.segment_steps} is no multiple of "
                    f"checkpoint_every {self.checkpoint_every}"
                )
        return self

    def segments(self) -> list[tuple[int, int | None]]:
        """Return the (first, last] steps of each training job; a last of None is 'to the end'."""
        if self.steps == "epoch":
            return [(0, None)]
        length = self.segment_steps or self.steps
        return [(start, min(start + length, self.steps)) for start in range(0, self.steps, length)]
