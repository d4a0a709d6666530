"""Settings of an adapter, trained instead of the whole model."""

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section


class AdapterSettings(Section):
    """A low-rank adapter (LoRA); the base model stays unchanged."""

    rank: PositiveInt = Field(16, description="Rank of the two matrices added to a layer.")
    alpha: PositiveInt = Field(32, description="Their output is scaled by alpha / rank.")
    targets: list[str] = Field(
        ["all-linear"],
        min_length=1,
        description="Linear layers that get them, by the last part of their names (`q_proj`, "
        "`v_proj`); `all-linear` means all but the output layer.",
    )
