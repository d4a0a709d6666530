"""Three ways in which the labels of a figure stand for runs."""

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import Experiment, Figure, Label, RunId, Test, runs_of


class ByArrangement(Figure):
    """A figure whose labels are arrangements of one data set."""

    dataset: str = Field("flan", description="Data set of the runs.")
    curves: dict[Label, str] = Field(
        min_length=1, description="Label of each curve and its arrangement, of `arrangements`."
    )

    @model_validator(mode="after")
    def _one_label_each(self) -> Self:
        check_once("curves", list(self.curves.values()))
        return self

    def tests_of(self, experiment: Experiment) -> list[str]:
        """Return the test sets of the figure."""
        return [experiment.test_of(self.dataset)]

    def runs(self, experiment: Experiment) -> list[RunId]:
        """Return the runs that the figure shows."""
        return [
            run
            for test in self.tests_of(experiment)
            for arrangement in self.curves.values()
            for run in runs_of(experiment, self.dataset, test, arrangement)
        ]

    def labels(self) -> list[str]:
        """Return the labels of the figure in their order."""
        return list(self.curves)

    def label(self, run: RunId) -> str | None:
        """Return the label of a run's arrangement."""
        names = {arrangement: label for label, arrangement in self.curves.items()}
        return names.get(run.arrangement) if run.dataset == self.dataset else None

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        yield "dataset", "data set", self.dataset
        for label, name in self.curves.items():
            yield f"curves.{label}", "arrangement", name


class ByDataset(Figure):
    """A figure whose labels are data sets, each with one arrangement."""

    curves: dict[Label, str] = Field(
        min_length=1, description="Label of each curve and its data set, of `data`."
    )
    test: Test = Field("generalist-0", description="Test set of all data sets.")
    arrangement: str = Field("random", description="Arrangement of all data sets.")

    series: ClassVar[str] = "dataset"

    @model_validator(mode="after")
    def _one_label_each(self) -> Self:
        check_once("curves", list(self.curves.values()))
        return self

    def runs(self, experiment: Experiment) -> list[RunId]:
        """Return the runs that the figure shows."""
        return [
            run
            for dataset in self.curves.values()
            for run in runs_of(experiment, dataset, self.test, self.arrangement)
        ]

    def labels(self) -> list[str]:
        """Return the labels of the figure in their order."""
        return list(self.curves)

    def label(self, run: RunId) -> str | None:
        """Return the label of a run's data set."""
        names = {dataset: label for label, dataset in self.curves.items()}
        shown = (run.test, run.arrangement) == (self.test, self.arrangement)
        return names.get(run.dataset) if shown else None

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        yield "arrangement", "arrangement", self.arrangement
        for label, name in self.curves.items():
            yield f"curves.{label}", "data set", name

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a test set, its data set, and the test set."""
        yield from (("test", dataset, self.test) for dataset in self.curves.values())


class OfOneArrangement(Figure):
    """A figure of one arrangement of one data set, which is its only label."""

    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test = Field("generalist-0", description="Test set.")
    arrangement: str = Field("random", description="Arrangement of the runs.")

    def runs(self, experiment: Experiment) -> list[RunId]:
        """Return the runs that the figure shows."""
        return runs_of(experiment, self.dataset, self.test, self.arrangement)

    def labels(self) -> list[str]:
        """Return the data set."""
        return [self.dataset]

    def label(self, run: RunId) -> str | None:
        """Return the data set of a run that the figure shows."""
        return self.dataset if run[:3] == (self.dataset, self.test, self.arrangement) else None

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        yield "dataset", "data set", self.dataset
        yield "arrangement", "arrangement", self.arrangement

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a test set, its data set, and the test set."""
        yield "test", self.dataset, self.test
