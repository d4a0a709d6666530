"""Unseen tasks sorted by the way their loss falls (Section A.6)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nearfirst.figures.figure import Caption, Label, Test
from nearfirst.figures.shapes import ByDataset


class Settings(ByDataset):
    """Unseen tasks sorted by the way their loss falls."""

    kind: Literal["loss-types"] = "loss-types"
    caption: Caption = "Unseen tasks sorted by the way their loss falls."
    curves: dict[Label, str] = Field(
        {"NIV2": "niv2", "Flan-mini": "flan"},
        min_length=1,
        description="Label of each data set, and its name in `data`.",
    )
    test: Test = Field("specialist-0", description="Test set of all data sets.")

    computing: ClassVar[str] = "loss_types"
    sections: ClassVar[Sequence[str]] = ("loss_types", "curves")
    extra_outputs: ClassVar[Sequence[str]] = ("_tasks.csv",)
    series: ClassVar[str] = "task"
