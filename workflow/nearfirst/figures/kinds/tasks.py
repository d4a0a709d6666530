"""Loss of single unseen tasks, and their similarity to the data seen so far."""

from typing import ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.settings import check_once
from nearfirst.distance.settings import MEASURES
from nearfirst.figures.figure import Caption, Label, Test
from nearfirst.figures.shapes import ByArrangement

QUANTITIES = ("loss", *MEASURES, "scaled-cosine-avg")


class Settings(ByArrangement):
    """Loss of single unseen tasks, and their similarity to the data seen so far."""

    kind: Literal["tasks"] = "tasks"
    caption: Caption = (
        "Loss on single unseen tasks of {dataset} with the training data in different orders."
    )
    tests: list[Test] = Field(["specialist-0"], min_length=1, description="Test sets.")
    curves: dict[Label, str] = Field(
        {"round-robin": "round-robin", "cluster": "cluster", "random": "random"},
        min_length=1,
        description="Label of each curve and its arrangement, of `arrangements`.",
    )
    tasks: list[Label] | None = Field(
        None,
        description="Unseen tasks by name, or by the part of it before a `_`. Null picks evenly "
        "spread tasks, sorted by name (`pick`).",
    )
    pick: tuple[PositiveInt, NonNegativeInt, PositiveInt] = Field(
        (1, 0, 1),
        description="Count, first (from 0) and total: how many tasks to take, starting with which, "
        "of how many evenly spread ones.",
    )
    quantities: list[str] = Field(
        ["loss"],
        min_length=1,
        description="`loss`, the nine measures of similarity, `scaled-cosine-avg`.",
    )
    panels: Literal["task", "test", "quantity"] = Field(
        "task", description="What differs between the panels."
    )

    computing: ClassVar[str] = "task_curves"

    @model_validator(mode="after")
    def _check_row(self) -> Self:
        count, first, total = self.pick
        if first + count > total:
            raise ValueError(
                f"pick: tasks {first} to {first + count - 1} of {total}, counted from 0"
            )
        check_once("quantities", self.quantities)
        for name in self.quantities:
            if name not in QUANTITIES:
                raise ValueError(f"quantities: {name!r} is none of {', '.join(QUANTITIES)}")
        for key, values in (("tests", self.tests), ("tasks", self.tasks or ())):
            check_once(key, values)
            count = len(values) or self.pick[0]
            if count > 1 and self.panels != key.rstrip("s"):
                raise ValueError(f"panels: {self.panels!r} would put {count} {key} in one panel")
        return self

    def test_sets(self) -> list[str]:
        """Return the test sets of the figure."""
        return list(self.tests)

    def needs_similarity(self) -> bool:
        """Return whether it shows more than the loss."""
        return self.quantities != ["loss"]
