"""Rank correlation of each measure of similarity with loss."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nearfirst.figures.figure import Caption, Experiment, Label, RunId, Test
from nearfirst.figures.shapes import ByArrangement


class Settings(ByArrangement):
    """Rank correlation of each measure of similarity with loss."""

    kind: Literal["prediction"] = "prediction"
    caption: Caption = (
        "Spearman's rank correlation of each measure of similarity with the loss on unseen tasks "
        "of {dataset}."
    )
    test: Test = Field("specialist-0", description="Test set.")
    curves: dict[Label, str] = Field(
        {"round-robin": "round-robin", "cluster": "cluster", "random": "random"},
        min_length=1,
        description="Label and arrangement of the runs.",
    )

    computing: ClassVar[str] = "prediction"
    sections: ClassVar[Sequence[str]] = ("prediction", "curves")
    drawing: ClassVar[str] = "correlations"

    def similarities(self, experiment: Experiment) -> list[RunId]:
        """Return all runs, each of which needs its similarity."""
        return self.runs(experiment)
