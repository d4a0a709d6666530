"""Settings of the page of takeaways."""

from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from nearfirst.common.settings import Section


class TakeawaySettings(Section):
    """How the paper's claims are judged. Set these before looking at results."""

    alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Probability of any false verdict among the primary rows (Holm). Intervals "
        "have the level one minus it.",
    )
    loss_margin: PositiveFloat = Field(
        0.1,
        description="Mean losses count as equal if they differ by less than this share of the fall "
        "of the loss in the run.",
    )
    correlation_margin: PositiveFloat = Field(
        0.1,
        description="Correlations count as equal, or as none, if they differ by less, or are "
        "smaller.",
    )
    auc_margin: float = Field(
        0.1,
        gt=0,
        lt=0.5,
        description="Rewards do not tell right from wrong if their AUC differs from 0.5 by less.",
    )
    block_checkpoints: PositiveInt = Field(
        3, description="Neighbouring checkpoints that are permuted together."
    )
    paper_steps: dict[str, PositiveInt] = Field(
        {"niv2": 4645, "p3": 1774, "flan": 1797},
        description="Steps of the paper's runs, by the format of the data, from which its early "
        "steps are scaled. Other formats count as `flan`.",
    )

    @model_validator(mode="after")
    def _has_others(self) -> Self:
        if "flan" not in self.paper_steps:
            raise ValueError("paper_steps: 'flan' is missing; other formats count as it")
        return self

    def paper_steps_of(self, form: str) -> int:
        """Return the steps of the paper's run on data of a format."""
        return self.paper_steps.get(form, self.paper_steps["flan"])
