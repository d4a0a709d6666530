"""Rank correlation of each measure of similarity with loss."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nearfirst.figures.figure import Caption, Label, Test
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

    def needs_similarity(self) -> bool:
        """Return that it does."""
        return True
