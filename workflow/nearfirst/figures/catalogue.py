"""What each figure and table compares."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.named_modules import did_you_mean
from nearfirst.common.settings import Section, check_once
from nearfirst.distance.similarity_settings import MEASURES
from nearfirst.metrics import METRICS, MetricName

_TEST = "(generalist|specialist)-(0|[1-9][0-9]*)|heldout"
Test = Annotated[str, Field(pattern=f"^({_TEST})$")]
# What begins with a dash would be taken for a flag of the program that makes the figure.
Name = Annotated[str, Field(pattern=r"^[^\s-]")]
Split = Annotated[str, Field(pattern=f"^(train|{_TEST})$")]
_METRIC = f"What the curves show: {', '.join(METRICS)}."


class Figure(Section):
    """What all figures have in common."""

    kind: str = Field(description="What the figure shows: the type of this row.")

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        for key, what in (("dataset", "data set"), ("arrangement", "arrangement")):
            if hasattr(self, key):
                yield key, what, getattr(self, key)
        what = "arrangement" if hasattr(self, "dataset") else "data set"
        for label, name in getattr(self, "curves", {}).items():
            yield f"curves.{label}", what, name

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a test set, its data set, and the test set."""
        datasets = [name for _, what, name in self.references() if what == "data set"]
        tests = {"test": [self.test]} if hasattr(self, "test") else {}
        if hasattr(self, "tests"):
            tests["tests"] = self.tests
        for key, names in tests.items():
            yield from ((key, dataset, test) for dataset in datasets for test in names)


class ArrangementsFigure(Figure):
    """A metric's mean against step, one curve an arrangement, and their paired comparison."""

    kind: Literal["arrangements"] = "arrangements"
    dataset: str = Field("flan", description="Data set of the runs.")
    metric: MetricName = Field("loss", description=_METRIC)
    curves: dict[Name, str] = Field(
        min_length=1, description="Label of each curve and its arrangement, of `arrangements`."
    )
    reference: str = Field(description="Label that the paired comparison holds against the others.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.reference not in self.curves:
            raise ValueError(
                f"reference: {self.reference!r} is no label of {', '.join(self.curves)}"
            )
        return self


class DatasetsFigure(Figure):
    """A metric's mean against step, one curve a data set."""

    kind: Literal["datasets"] = "datasets"
    metric: MetricName = Field("loss", description=_METRIC)
    curves: dict[Name, str] = Field(min_length=1, description="Label and data set of each curve.")
    test: Test = Field("generalist-0", description="Test set of all of them.")
    arrangement: str = Field("random", description="Their arrangement.")


class MetricsFigure(Figure):
    """Means of several metrics against step, one curve a metric."""

    kind: Literal["metrics"] = "metrics"
    dataset: str = Field("niv2", description="Data set of the runs.")
    test: Test = Field("generalist-0", description="Test set.")
    arrangement: str = Field("random", description="Arrangement of the runs.")
    metrics: list[MetricName] = Field(
        ["rouge1", "rougeL", "exact_match"],
        min_length=1,
        description="Metrics that share an axis: scores, or one of the others.",
    )

    @model_validator(mode="after")
    def _share_an_axis(self) -> Self:
        check_once("metrics", self.metrics)
        shown = {METRICS[name].quantity for name in self.metrics}
        if len(shown) > 1:
            raise ValueError(f"metrics: {' and '.join(sorted(shown))} do not share an axis")
        return self


class RewardFigure(Figure):
    """Rewards of right and of wrong answers."""

    kind: Literal["rewards"] = "rewards"
    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test = Field("generalist-0", description="Test set.")
    arrangement: str = Field("random", description="Arrangement of the runs.")


class TasksFigure(Figure):
    """Loss of single unseen tasks, and how similar the data seen so far are to them."""

    kind: Literal["tasks"] = "tasks"
    dataset: str = Field("flan", description="Data set of the runs.")
    tests: list[Test] = Field(["specialist-0"], min_length=1, description="Test sets.")
    curves: dict[Name, str] = Field(
        {"round-robin": "round-robin", "cluster": "cluster", "random": "random"},
        min_length=1,
        description="Label of each curve and its arrangement, of `arrangements`.",
    )
    tasks: list[Name] | None = Field(
        None,
        description="Unseen tasks by name, or its beginning up to a `_`. Null picks them by a "
        "rule: of the unseen tasks by name the evenly spread ones that `pick` says.",
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

    @model_validator(mode="after")
    def _pick_is_there(self) -> Self:
        count, offset, of = self.pick
        if offset + count > of:
            raise ValueError(f"pick: tasks {offset} to {offset + count - 1} of {of} (from 0)")
        unknown = [q for q in self.quantities if q not in QUANTITIES]
        if unknown:
            raise ValueError(f"quantities: {unknown[0]!r} is none of {', '.join(QUANTITIES)}")
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for key, values in (("tests", self.tests), ("tasks", self.tasks or ())):
            check_once(key, values)
            number = len(values) or self.pick[0]
            if number > 1 and self.panels != key.rstrip("s"):
                raise ValueError(f"panels: {self.panels!r} would put {number} {key} in one panel")
        check_once("quantities", self.quantities)
        return self


class LossTypesFigure(Figure):
    """Unseen tasks by the way their loss falls."""

    kind: Literal["loss-types"] = "loss-types"
    curves: dict[Name, str] = Field(
        {"NIV2": "niv2", "Flan-mini": "flan"}, min_length=1, description="Label and data set."
    )
    test: Test = Field("specialist-0", description="Test set of all of them.")
    arrangement: str = Field("random", description="Their arrangement.")


class PredictionFigure(Figure):
    """Rank correlation of each measure of similarity with loss."""

    kind: Literal["prediction"] = "prediction"
    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test = Field("specialist-0", description="Test set.")
    curves: dict[Name, str] = Field(
        {"round-robin": "round-robin", "cluster": "cluster", "random": "random"},
        min_length=1,
        description="Label and arrangement of the runs.",
    )


QUANTITIES = ("loss", *MEASURES, "scaled-cosine-avg")


KINDS: dict[str, type[Figure]] = {
    "arrangements": ArrangementsFigure,
    "datasets": DatasetsFigure,
    "metrics": MetricsFigure,
    "rewards": RewardFigure,
    "tasks": TasksFigure,
    "loss-types": LossTypesFigure,
    "prediction": PredictionFigure,
}


def figure_kinds() -> list[str]:
    """Return the kinds there are."""
    return list(KINDS)


def settings_of(kind: str) -> type[Figure]:
    """Return the type of a kind's rows. Raises ValueError if there is no such kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    return KINDS[kind]


class Expected(Section):
    """How many tasks and instances the paper has in a split (Table 4)."""

    tasks: PositiveInt | None = Field(None, description="Tasks.")
    instances: PositiveInt | None = Field(None, description="Instances.")


class Table4Settings(Section):
    """Tasks and instances of every split."""

    splits: dict[str, Annotated[list[Split], Field(min_length=1)]] = Field(
        {
            "niv2": ["train", "generalist-0", "specialist-0"],
            "p3": ["train", "generalist-0"],
            "flan": ["train", "generalist-0", "specialist-0"],
            "sharegpt": ["train", "heldout"],
            "norobots": ["train", "heldout"],
        },
        min_length=1,
        description="Data sets and their splits.",
    )
    expected: dict[str, dict[Split, Expected]] = Field(
        {},
        description="What the paper has, by data set and split; a mismatch is reported.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name, splits in self.splits.items():
            check_once(f"splits.{name}", splits)
        return self


THREE = {"NIV2": "niv2", "P3": "p3", "Flan-mini": "flan"}


class MetricTablesSettings(Section):
    """The runs of the tables that hold all metrics side by side."""

    datasets: dict[Name, str] = Field(THREE, min_length=1, description="Label and data set.")
    test: Test = Field("generalist-0", description="Test set of all of them.")
    arrangement: str = Field("random", description="Their arrangement.")
    metrics: list[MetricName] = Field(
        list(METRICS), min_length=1, description="Metrics that are compared."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        check_once("metrics", self.metrics)
        return self


class TableSettings(Section):
    """The tables beside the figures."""

    table4: Table4Settings = Table4Settings()
    metrics: MetricTablesSettings = MetricTablesSettings()
    generalization: list[str] = Field(
        ["fig4_flan", "fig4_sharegpt", "fig4_norobots", "fig3_similarity"],
        min_length=1,
        description="Figures whose runs `generalization.csv` lists.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        check_once("generalization", self.generalization)
        return self

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that holds a name, what it names, and the name."""
        for part in ("splits", "expected"):
            for name in getattr(self.table4, part):
                yield f"table4.{part}", "data set", name
        yield "metrics.arrangement", "arrangement", self.metrics.arrangement
        for label, name in self.metrics.datasets.items():
            yield f"metrics.datasets.{label}", "data set", name
        for name in self.generalization:
            yield "generalization", "figure to compare", name

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that holds a split, its data set, and the split."""
        for name, splits in self.table4.splits.items():
            yield from ((f"table4.splits.{name}", name, split) for split in splits)
        for name in self.metrics.datasets.values():
            yield "metrics.test", name, self.metrics.test
