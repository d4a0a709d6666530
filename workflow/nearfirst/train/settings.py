"""Settings of instruction tuning (Table 2 of the paper and Section A.3)."""

from typing import Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from nearfirst.common.settings import Derivable, Threads
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.train.schedules import Schedule


class TrainSettings(Derivable):
    """Training in the order of an arrangement."""

    steps: PositiveInt | Literal["epoch"] = Field(
        "epoch",
        description="Optimizer steps of an epoch; `epoch` trains on the whole arrangement.",
    )
    epochs: PositiveInt = Field(1, description="Passes over these instances.")
    epoch_order: Literal["same", "reshuffled"] = Field(
        "same",
        description="Order of the epochs after the first: the arrangement's again, or shuffled, by "
        "the seed of the run.",
    )
    segment_steps: PositiveInt | None = Field(
        None,
        description="Steps in one training job; null trains in one job, as does `auto` unless that "
        "would take more than a day. Needs `steps` to be a number, which it must divide if there "
        "are several epochs.",
        json_schema_extra={"default": "auto"},
    )
    batch_size: PositiveInt = Field(16, description="Instances in a step, over all GPUs.")
    micro_batch_tokens: PositiveInt = Field(
        4096,
        description="Maximum number of tokens in a forward pass on one device, padding included. "
        "The instances of a step are sorted by length and cut into passes; the step is the same.",
    )
    adapter: AdapterSettings | None = Field(
        None, description="Train and save only a low-rank adapter; null trains all weights."
    )
    learning_rate: PositiveFloat = Field(1e-6, description="Highest learning rate.")
    schedule: Schedule = Field(
        "cosine",
        description="How the rate falls: along half a cosine, linearly, not at all, or linearly "
        "over the last `decay_steps` only.",
    )
    mean_of: Schedule | None = Field(
        None,
        description="With `schedule: constant`, the rate is the mean of this other schedule, to "
        "which the other keys then apply, so that the rates of both have the same sum. Null: "
        "`learning_rate`.",
    )
    warmup_steps: NonNegativeInt = Field(
        0, description="Number of first steps, over which the rate rises linearly."
    )
    decay_steps: PositiveInt | None = Field(
        None,
        description="Number of last steps, over which `warmup-stable-decay` lowers the rate; null: "
        "a fifth of all steps.",
    )
    final_rate: NonNegativeFloat = Field(
        0.0, description="The rate to which a schedule falls after the last step."
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="Decay rate of Adam's first moment.")
    beta2: float = Field(0.95, ge=0, lt=1, description="Decay rate of Adam's second moment.")
    epsilon: PositiveFloat = Field(1e-5, description="Adam's epsilon.")
    weight_decay: NonNegativeFloat = Field(0.0, description="Decoupled weight decay.")
    gradient_clipping: PositiveFloat = Field(1.0, description="Maximum norm of the gradient.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Arithmetic; master weights are always float32. float32 is TF32 on a GPU. "
        "bfloat16 is for GPUs from Ampere on and CPUs with AMX or AVX-512 BF16; float16 needs a "
        "GPU, scales the loss dynamically and skips the steps in which that overflows.",
    )
    deterministic: bool = Field(
        True,
        description="The same bytes on every run on a GPU. False allows operations without a "
        "deterministic form.",
    )
    checkpoint_every: PositiveInt = Field(
        10, description="Steps between checkpoints; step 0 and the last step have one too."
    )
    checkpoint_dtype: Literal["float32", "float16", "bfloat16"] = Field(
        "float32", description="Number format of the saved weights. bfloat16 is refused."
    )
    threads: Threads = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.checkpoint_dtype == "bfloat16":
            raise ValueError(
                "checkpoint_dtype: bfloat16 is refused: near 0.02 its numbers are 1.2e-4 apart, "
                "ten steps at a rate of 1e-6 move a weight by about 1e-5, and most of that is lost "
                "(docs/method.md, 'Precision'); use float32 or float16"
            )
        if self.mean_of and self.schedule != "constant":
            raise ValueError("mean_of: only `schedule: constant` can have another schedule's mean")
        shape = self.mean_of or self.schedule
        if shape == "constant" and self.final_rate:
            raise ValueError("final_rate: a constant schedule does not fall; leave it out")
        if self.final_rate >= self.learning_rate:
            raise ValueError(
                f"final_rate: {self.final_rate} is not below learning_rate {self.learning_rate}"
            )
        if self.decay_steps and shape != "warmup-stable-decay":
            raise ValueError("decay_steps: only `schedule: warmup-stable-decay` has decay steps")
        if self.steps != "epoch":
            self.check_schedule(self.steps * self.epochs)
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
            if self.epochs > 1 and self.steps % self.segment_steps:
                raise ValueError(
                    f"segment_steps: {self.segment_steps} does not divide an epoch of {self.steps} "
                    "steps; a segment must not hold the end of one epoch and the beginning of the "
                    "next"
                )
        return self

    def decay(self, total: int) -> int:
        """Return the decay steps of `warmup-stable-decay` in a run of `total` steps."""
        return self.decay_steps or -(-total // 5)

    def check_schedule(self, total: int) -> None:
        """Raise ValueError if the schedule does not fit into a run of `total` steps."""
        if self.warmup_steps >= total:
            raise ValueError(
                f"warmup_steps: {self.warmup_steps} leave nothing of a run of {total} steps"
            )
        shape = self.mean_of or self.schedule
        if shape == "warmup-stable-decay" and self.warmup_steps + self.decay(total) > total:
            raise ValueError(
                f"decay_steps: {self.decay(total)}, after a warm-up of {self.warmup_steps}, are "
                f"more than a run of {total} steps"
            )

    def segments(self) -> list[tuple[int, int | None]]:
        """Return the (first, last] steps of each training job; None stands for the end."""
        if self.steps == "epoch":
            return [(0, None)]
        total = self.steps * self.epochs
        length = self.segment_steps or total
        return [(start, min(start + length, total)) for start in range(0, total, length)]
