"""Loss of single unseen tasks, and how similar the data seen so far are to them."""

from typing import ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.settings import check_once
from nearfirst.distance.similarity_settings import MEASURES
from nearfirst.figures.figure import Caption, Experiment, Label, RunId, Test
from nearfirst.figures.shapes import ByArrangement

QUANTITIES = ("loss", *MEASURES, "scaled-cosine-avg")


class Settings(ByArrangement):
    """Loss of single unseen tasks, and how similar the data seen so far are to them."""

    kind: Literal["tasks"] = "tasks"
    caption: Caption = (
        "Loss on single unseen tasks of {dataset} with the training data in other orders."
    )
    tests: list[Test] = Field(["specialist-0"], min_length=1, description="Test sets.")
    curves: dict[Label, str] = Field(
        {"round-robin": "round-robin", "cluster": "cluster", "random": "random"},
        min_length=1,
        description="Label of each curve and its arrangement, of `arrangements`.",
    )
    tasks: list[Label] | None = Field(
        None,
        description="Unseen tasks by name, or by its beginning up to a `_`. Null picks some of the "
        "tasks sorted by name, evenly spread, as `pick` says.",
    )
    pick: tuple[PositiveInt, NonNegativeInt, PositiveInt] = Field(
        (1, 0, 1),
        description="How many tasks, from which number on, of how many evenly spread ones.",
    )
    quantities: list[str] = Field(
        ["loss"],
        min_length=1,
        description="`loss`, the nine measures of similarity, `scaled-cosine-avg`.",
    )
    panels: Literal["task", "test", "quantity"] = Field(
        "task", description="What differs between the panels."
    )

    program: ClassVar[str] = "task_curves"

    @model_validator(mode="after")
    def _pick_exists(self) -> Self:
        count, first, of = self.pick
        if first + count > of:
            raise ValueError(f"pick: tasks {first} to {first + count - 1} of {of} (from 0)")
        return self

    @model_validator(mode="after")
    def _quantities_are_known(self) -> Self:
        check_once("quantities", self.quantities)
        unknown = [quantity for quantity in self.quantities if quantity not in QUANTITIES]
        if unknown:
            raise ValueError(f"quantities: {unknown[0]!r} is none of {', '.join(QUANTITIES)}")
        return self

    @model_validator(mode="after")
    def _a_panel_has_one_task_and_test_set(self) -> Self:
        for key, values in (("tests", self.tests), ("tasks", self.tasks or ())):
            check_once(key, values)
            number = len(values) or self.pick[0]
            if number > 1 and self.panels != key.rstrip("s"):
                raise ValueError(f"panels: {self.panels!r} would put {number} {key} in one panel")
        return self

    def test_sets(self) -> list[str]:
        """Return the test sets of the figure."""
        return list(self.tests)

    def similarities(self, experiment: Experiment) -> list[RunId]:
        """Return the runs whose similarity the figure shows: none if it shows only the loss."""
        return [] if self.quantities == ["loss"] else self.runs(experiment)
