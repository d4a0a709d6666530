"""Settings of the adapter that is trained instead of the whole model."""

from pydantic import Field, NonNegativeInt, PositiveInt

from nearfirst.common.settings import Section


class AdapterSettings(Section):
    """A low-rank adapter (LoRA): the base model stays as it is."""

    rank: PositiveInt = Field(16, description="Width of the two matrices beside a layer.")
    alpha: PositiveInt = Field(32, description="What they add is scaled by alpha / rank.")
    targets: list[str] = Field(
        ["all-linear"],
        min_length=1,
        description="Linear layers that get one, by the last part of their names (`q_proj`, "
        "`v_proj`); `all-linear` is all but the output's.",
    )
    seed: NonNegativeInt = Field(0, description="Seed of the initial weights.")
