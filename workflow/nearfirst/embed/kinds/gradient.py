"""Projected gradients at warmed-up checkpoints (LESS)."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.settings import Seed, Threads
from nearfirst.embed.registry import Context, Instances, Represented
from nearfirst.embed.settings import OfBaseModel


class Settings(OfBaseModel):
    """The gradient of an instance's loss; for the pool, preconditioned by Adam (LESS)."""

    kind: Literal["gradient"] = "gradient"
    threads: Threads = 1
    dimension: PositiveInt = Field(
        512, description="Dimension that the gradient at one checkpoint is projected to."
    )
    seed: Seed = Field(0, description="Seed of the projection.")
    arrangement: str = Field(
        "random",
        description="Row of `arrangements`: the order of the warm-up run, of the first seed.",
    )
    warmup_steps: PositiveInt = Field(
        40, description="Steps of the warm-up run, which otherwise follows `train`."
    )
    checkpoints: PositiveInt = Field(
        1,
        description="Number of evenly spaced checkpoints of the warm-up run to take gradients at. "
        "Each costs the same and adds `dimension` numbers; LESS uses four.",
    )

    @model_validator(mode="after")
    def _evenly_spaced(self) -> Self:
        if self.warmup_steps % self.checkpoints:
            raise ValueError(
                f"checkpoints: {self.checkpoints} does not divide warmup_steps {self.warmup_steps}"
            )
        return self

    def references(self) -> list[tuple[str, str, str]]:
        """Return the arrangement of the warm-up run."""
        return [("arrangement", "arrangement", self.arrangement)]


def represent(instances: Instances, settings: Settings, context: Context) -> Represented:
    """Return the gradients of N instances, (N, checkpoints x dimension)."""
    from nearfirst.embed import gradients
    from nearfirst.embed.base_model import encode_instances
    from nearfirst.model.device import deterministic

    tokens = encode_instances(instances, context)
    with deterministic(
        key="hardware.embed.gpus", cure="set it to 0: the CPU then computes gradients"
    ):
        vectors = gradients.represent(
            *(context.model, context.warm_up, context.rates, instances.ids, tokens),
            *(settings.dimension, settings.seed),
            preconditioned=not context.query,
            keep=context.keep,
        )
    return Represented(vectors)
