"""Base classes for kinds of figure, by what their labels stand for."""

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from nearfirst.figures.figure import Curve, Figure, Label, Metric, Test


class ByArrangement(Figure):
    """A figure whose labels are arrangements of one data set."""

    dataset: str = Field("flan", description="Data set of the runs.")
    curves: dict[Label, str] = Field(
        min_length=1, description="Label of each curve and its arrangement, of `arrangements`."
    )

    def test_sets(self) -> Sequence[str | None]:
        """Return the test sets of the figure; None is the default of the data set."""
        return [getattr(self, "test", None)]

    def shown(self) -> list[Curve]:
        """Return the labels, in order, with their runs."""
        return [
            Curve(label, self.dataset, test, arrangement)
            for test in self.test_sets()
            for label, arrangement in self.curves.items()
        ]


class WithReference(Figure):
    """A figure of a metric of arrangements, one of which is compared with the others."""

    metric: Metric = "loss"
    test: Test | None = Field(
        None, description="Test set that is measured; null: the test set of the data set."
    )
    reference: str = Field(description="Label that the paired comparison compares with the others.")

    @model_validator(mode="after")
    def _check_reference(self) -> Self:
        if self.reference not in self.orders():
            labels = ", ".join(self.orders())
            raise ValueError(f"reference: {self.reference!r} is none of the labels {labels}")
        return self

    def orders(self) -> list[str]:
        """Return the labels that are compared."""
        return self.labels()

    def others(self) -> list[str]:
        """Return the labels that the reference is compared with."""
        return [label for label in self.orders() if label != self.reference]


class ByDataset(Figure):
    """A figure whose labels are data sets, each with one arrangement."""

    curves: dict[Label, str] = Field(
        min_length=1, description="Label of each curve and its data set, of `data`."
    )
    test: Test = Field("generalist-0", description="Test set of all data sets.")
    arrangement: str = Field("random", description="Arrangement of all data sets.")

    series: ClassVar[str] = "dataset"

    def shown(self) -> list[Curve]:
        """Return the labels, in order, with their runs."""
        return [Curve(k, name, self.test, self.arrangement) for k, name in self.curves.items()]


class OfOneArrangement(Figure):
    """A figure of one arrangement of one data set, which is its only label."""

    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test = Field("generalist-0", description="Test set.")
    arrangement: str = Field("random", description="Arrangement of the runs.")

    def shown(self) -> list[Curve]:
        """Return the data set as the only label."""
        return [Curve(self.dataset, self.dataset, self.test, self.arrangement)]
