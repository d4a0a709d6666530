"""Settings of the tables: metric stability, generalization, split sizes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.settings import Section, Seed
from nearfirst.figures.figure import TEST, Curve, Label, Labelled, Test
from nearfirst.metrics import METRICS, MetricName

Split = Annotated[str, Field(pattern=f"^(train|{TEST})$")]

if TYPE_CHECKING:
    Performance = str
else:  # Larger is better, so the loss itself is no option.
    Performance = Literal[("exp-loss", *(name for name in METRICS if name != "loss"))]


class StabilitySettings(Section):
    """Noise of each metric from checkpoint to checkpoint, relative to its change over a run."""

    end_checkpoints: PositiveInt = Field(
        3, description="The end of a run is the mean over this many last checkpoints."
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the intervals over seeds.")


class GeneralizationSettings(Section):
    """When a run counts as having generalized to unseen tasks."""

    threshold: float | None = Field(
        0.5,
        description="ε: mean performance over unseen instances must exceed it. Null: derived from "
        "`times_base`.",
    )
    times_base: float = Field(
        2.0,
        gt=1,
        description="Without a threshold: ε as a multiple of the base model's mean performance "
        "(step 0, all runs of a figure). Not for rewards, which may be negative.",
    )
    performance: Performance = Field(
        "exp-loss",
        description="Performance on an instance: `exp-loss` is exp(−loss), in (0, 1]; scores are "
        "from 0 to 1; a reward may be any number.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the bootstrap intervals.")
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples.")
    seed: Seed = Field(0, description="Seed of the bootstrap.")

    @model_validator(mode="after")
    def _check_threshold(self) -> Self:
        if self.threshold is None and self.performance == "reward":
            raise ValueError(
                "threshold: twice a reward, which may be negative, means nothing; give a number"
            )
        return self

    @property
    def metric(self) -> MetricName:
        """The metric from which the performance is computed."""
        return "loss" if self.performance == "exp-loss" else self.performance


class Expected(Section):
    """Size of a split in the paper (Table 4)."""

    tasks: PositiveInt | None = Field(None, description="Tasks.")
    instances: PositiveInt | None = Field(None, description="Instances.")


class Table4Settings(Section):
    """Numbers of tasks and instances of the splits."""

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
        description="The paper's numbers, by data set and split; mismatches are reported.",
    )


class MetricTablesSettings(Labelled, Section):
    """The runs whose metrics are tabulated."""

    datasets: dict[Label, str] = Field(
        {"NIV2": "niv2", "P3": "p3", "Flan-mini": "flan"},
        min_length=1,
        description="Label and data set.",
    )
    test: Test = Field("generalist-0", description="Test set of all data sets.")
    arrangement: str = Field("random", description="Arrangement of all data sets.")
    metrics: list[MetricName] = Field(
        list(METRICS), min_length=1, description="Metrics to compare."
    )

    def shown(self) -> list[Curve]:
        """Return the labels in order, each with its data set, test set and arrangement."""
        return [Curve(k, name, self.test, self.arrangement) for k, name in self.datasets.items()]


class TableSettings(Section):
    """The tables beside the figures."""

    table4: Table4Settings = Table4Settings()
    metrics: MetricTablesSettings = MetricTablesSettings()
    generalization: list[str] = Field(
        ["fig4_flan", "fig4_sharegpt", "fig4_norobots", "fig3_similarity"],
        min_length=1,
        description="Figures whose runs are listed in `generalization.csv`.",
    )

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that holds a name, the kind of thing named, and the name."""
        for key in ("splits", "expected"):
            for name in getattr(self.table4, key):
                yield f"table4.{key}", "data set", name
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
