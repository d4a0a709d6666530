"""A metric's mean against step, one curve for each arrangement, and their paired comparison."""

from typing import Literal, Self

from pydantic import Field, model_validator

from nearfirst.figures.figure import Caption, Metric
from nearfirst.figures.shapes import ByArrangement


class Settings(ByArrangement):
    """A metric's mean against step, one curve for each arrangement, and their comparison."""

    kind: Literal["arrangements"] = "arrangements"
    caption: Caption = "Mean test {metric} on {dataset} with the training data in different orders."
    metric: Metric = "loss"
    reference: str = Field(description="Label that the paired comparison compares with the others.")

    @model_validator(mode="after")
    def _reference_is_a_label(self) -> Self:
        if self.reference not in self.curves:
            raise ValueError(f"reference: {self.reference!r} is none of {', '.join(self.curves)}")
        return self

    def compares(self) -> bool:
        """Return whether there is anything to compare the reference with."""
        return len(self.curves) > 1
