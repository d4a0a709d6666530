"""Settings of the takeaways page."""

from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from nearfirst.common.settings import Section


class TakeawaySettings(Section):
    """How the paper's claims are judged. Set these before looking at results."""

    alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Probability of any false verdict among the primary rows (Holm). The level of "
        "the intervals is one minus this.",
    )
    loss_margin: PositiveFloat = Field(
        0.1,
        description="Mean losses count as equal if they differ by less than this share of the fall "
        "in loss over the run.",
    )
    correlation_margin: PositiveFloat = Field(
        0.1,
        description="Correlations count as equal if they differ by less than this, and as zero if "
        "they are smaller.",
    )
    auc_margin: float = Field(
        0.1,
        gt=0,
        lt=0.5,
        description="Rewards do not tell right from wrong if their AUC is closer to 0.5 than this.",
    )
    block_checkpoints: PositiveInt = Field(
        3, description="Neighbouring checkpoints that are permuted together."
    )
    paper_steps: dict[str, PositiveInt] = Field(
        {"niv2": 4645, "p3": 1774, "flan": 1797},
        description="Steps of the paper's runs by data format, used to scale its early steps. "
        "Other formats count as `flan`.",
    )

    @model_validator(mode="after")
    def _check_fallback(self) -> Self:
        if "flan" not in self.paper_steps:
            raise ValueError("paper_steps: 'flan' is missing; it stands for all other formats")
        return self

    def paper_steps_of(self, data_format: str) -> int:
        """Return the steps of the paper's run on data of this format."""
        return self.paper_steps.get(data_format, self.paper_steps["flan"])
