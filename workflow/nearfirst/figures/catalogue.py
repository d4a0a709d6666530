"""What each figure and table compares."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.settings import Section, check_once
from nearfirst.distance.similarity_settings import MEASURES
from nearfirst.metrics import METRICS, MetricName

_TEST = "(generalist|specialist)-(0|[1-9][0-9]*)|heldout"
Test = Annotated[str, Field(pattern=f"^({_TEST})$")]
# What begins with a dash would be taken for a flag of the program that makes the figure.
Name = Annotated[str, Field(pattern=r"^[^\s-]")]
Split = Annotated[str, Field(pattern=f"^(train|{_TEST})$")]
_METRIC = f"What the curves show: {', '.join(METRICS)}."


class ArrangementsFigure(Section):
    """A metric's mean against step, one curve an arrangement, and their paired comparison."""

    dataset: str = Field("flan", description="Data set of the runs.")
    metric: MetricName = Field("loss", description=_METRIC)
    arrangements: dict[Name, str] = Field(
        min_length=1, description="Label of each curve and its arrangement, of `arrangements`."
    )
    reference: str = Field(description="Label that the paired comparison holds against the others.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.reference not in self.arrangements:
            raise ValueError(
                f"reference: {self.reference!r} is no label of {', '.join(self.arrangements)}"
            )
        return self


class DatasetsFigure(Section):
    """A metric's mean against step, one curve a data set."""

    metric: MetricName = Field("loss", description=_METRIC)
    datasets: dict[Name, str] = Field(min_length=1, description="Label and data set of each curve.")
    test: Test = Field("generalist-0", description="Test set of all of them.")
    arrangement: str = Field("random", description="Their arrangement.")


class MetricsFigure(Section):
    """Means of several metrics against step, one curve a metric."""

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


class RewardFigure(Section):
    """Rewards of right and of wrong answers."""

    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test = Field("generalist-0", description="Test set.")
    arrangement: str = Field("random", description="Arrangement of the runs.")


class TasksFigure(Section):
    """Loss of single unseen tasks, and how similar the data seen so far are to them."""

    dataset: str = Field("flan", description="Data set of the runs.")
    tests: list[Test] = Field(["specialist-0"], min_length=1, description="Test sets.")
    arrangements: dict[Name, str] = Field(
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


class LossTypesFigure(Section):
    """Unseen tasks by the way their loss falls."""

    datasets: dict[Name, str] = Field(
        {"NIV2": "niv2", "Flan-mini": "flan"}, min_length=1, description="Label and data set."
    )
    test: Test = Field("specialist-0", description="Test set of all of them.")
    arrangement: str = Field("random", description="Their arrangement.")


class PredictionFigure(Section):
    """Rank correlation of each measure of similarity with loss."""

    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test = Field("specialist-0", description="Test set.")
    arrangements: dict[Name, str] = Field(
        {"round-robin": "round-robin", "cluster": "cluster", "random": "random"},
        min_length=1,
        description="Label and arrangement of the runs.",
    )


QUANTITIES = ("loss", *MEASURES, "scaled-cosine-avg")


_THREE = {"NIV2": "niv2", "P3": "p3", "Flan-mini": "flan"}


def _seeds_figure(number: int) -> TasksFigure:
    """Return one of Figures 7 to 10: one unseen task, three test seeds."""
    tests = ["specialist-0", "specialist-1", "specialist-2"]
    return TasksFigure(tests=tests, pick=(1, number - 7, 4), panels="test")


class FigureSettings(Section):
    """Every figure, under the name of its file."""

    fig1_scores: MetricsFigure = MetricsFigure()
    fig1_reward: DatasetsFigure = DatasetsFigure(datasets=_THREE, metric="reward")
    fig1_loss: DatasetsFigure = DatasetsFigure(datasets=_THREE)
    fig2_permutations: TasksFigure = TasksFigure(pick=(3, 0, 3))
    fig3_similarity: ArrangementsFigure = ArrangementsFigure(
        arrangements={"NFT": "wsd-nearest", "RT": "random", "FFT": "wsd-farthest"}, reference="NFT"
    )
    fig3_granularity: ArrangementsFigure = ArrangementsFigure(
        arrangements={"fine": "wsd-nearest", "coarse": "task-nearest"}, reference="fine"
    )
    fig4_flan: ArrangementsFigure = ArrangementsFigure(
        arrangements={"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
        reference="NFT",
    )
    fig4_sharegpt: ArrangementsFigure = ArrangementsFigure(
        dataset="sharegpt",
        arrangements={"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
        reference="NFT",
    )
    fig4_norobots: ArrangementsFigure = ArrangementsFigure(
        dataset="norobots",
        arrangements={"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
        reference="NFT",
    )
    fig4_mine: ArrangementsFigure = ArrangementsFigure(
        dataset="mine",
        arrangements={"NFT": "tma-nearest", "RT": "random", "FFT": "tma-farthest"},
        reference="NFT",
    )
    fig5_rounds: ArrangementsFigure = ArrangementsFigure(
        arrangements={f"[{i},{i + 5})": f"tma-rounds-{i}" for i in range(0, 30, 5)},
        reference="[0,5)",
    )
    fig6_niv2: RewardFigure = RewardFigure(dataset="niv2")
    fig6_flan: RewardFigure = RewardFigure(dataset="flan")
    fig6_p3: RewardFigure = RewardFigure(dataset="p3")
    fig7_seeds: TasksFigure = _seeds_figure(7)
    fig8_seeds: TasksFigure = _seeds_figure(8)
    fig9_seeds: TasksFigure = _seeds_figure(9)
    fig10_seeds: TasksFigure = _seeds_figure(10)
    fig11_scaled: TasksFigure = TasksFigure(
        tests=["specialist-0", "specialist-1", "specialist-2"],
        arrangements={"cluster": "cluster"},
        quantities=["loss", "scaled-cosine-avg", "cosine-min"],
        panels="test",
    )
    fig12_selection: ArrangementsFigure = ArrangementsFigure(
        dataset="flan_full",
        arrangements={
            "NFT": "budget-nearest",
            "RT": "budget-random",
            "FFT": "budget-farthest",
            "MAX": "budget-max",
            "MIN": "budget-min",
        },
        reference="NFT",
    )
    nine_similarities: TasksFigure = TasksFigure(quantities=["loss", *MEASURES], panels="quantity")
    loss_types: LossTypesFigure = LossTypesFigure()
    similarity_vs_loss: PredictionFigure = PredictionFigure()

    def of(self, kind: type[Section]) -> dict[str, Section]:
        """Return the figures of one kind by name."""
        every = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: figure for name, figure in every.items() if isinstance(figure, kind)}

    def tests(self) -> Iterator[tuple[str, str, str]]:
        """Yield the key of every test set that is set, the name of its data set, and its own."""
        for name, figure in ((name, getattr(self, name)) for name in type(self).model_fields):
            labelled = getattr(figure, "datasets", None)
            datasets = labelled.values() if labelled else [figure.dataset]
            for part in type(figure).model_fields.keys() & {"test", "tests"}:
                value = getattr(figure, part)
                for test in [value] if part == "test" else value:
                    yield from ((f"figures.{name}.{part}", dataset, test) for dataset in datasets)


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

    def tests(self) -> Iterator[tuple[str, str, str]]:
        """Yield the key of every split, the name of its data set, and its own."""
        for name, splits in self.splits.items():
            yield from ((f"tables.table4.splits.{name}", name, split) for split in splits)


class MetricTablesSettings(Section):
    """The runs of the tables that hold all metrics side by side."""

    datasets: dict[Name, str] = Field(_THREE, min_length=1, description="Label and data set.")
    test: Test = Field("generalist-0", description="Test set of all of them.")
    arrangement: str = Field("random", description="Their arrangement.")
    metrics: list[MetricName] = Field(
        list(METRICS), min_length=1, description="Metrics that are compared."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        check_once("metrics", self.metrics)
        return self

    def tests(self) -> Iterator[tuple[str, str, str]]:
        """Yield the key of the test set, and each data set that it is one of."""
        yield from (("tables.metrics.test", name, self.test) for name in self.datasets.values())


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
