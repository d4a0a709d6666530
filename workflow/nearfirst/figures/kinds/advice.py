"""What part of a pool to train on, and in which order: held-out loss against share of the pool."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import Caption, Curve, Figure, Label, Test

if TYPE_CHECKING:
    import pandas as pd

SHARES = (10, 25, 50, 100)


class Settings(Figure):
    """Held-out loss against the share of the pool that is trained on, and what to train on."""

    kind: Literal["advice"] = "advice"
    caption: Caption = (
        "Mean test {metric} on {dataset} after training on the first part of each order, against "
        "its share of the pool. One half of the test instances chooses, and unless there are "
        "queries of their own the orders are made for this half; the {metric} shown is that of the "
        "other half, which neither has looked at."
    )
    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test | None = Field(
        None, description="Test set that is measured; null: that of the data set."
    )
    orders: dict[Label, list[str]] = Field(
        {
            "nearest first": [f"advice-nearest-{share}" for share in SHARES],
            "at random": [f"advice-random-{share}" for share in SHARES],
        },
        min_length=1,
        description="Name of each order, and its arrangements, of `arrangements`, which take "
        "different parts of the pool.",
    )
    baseline: str = Field(
        "advice-random-100", description="Arrangement that the advice is compared with."
    )

    program: ClassVar[str] = "advice"
    sections: ClassVar[Mapping[str, str]] = {"--settings": "comparison", "--curves": "curves"}
    timed: ClassVar[bool] = True
    drawing: ClassVar[str] = "advice"
    series: ClassVar[str] = "order"

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [name for its in self.orders.values() for name in its]
        check_once("orders", names)
        if self.baseline not in names or len(names) < 2:
            raise ValueError(
                f"baseline: {self.baseline!r}: expected one of two or more arrangements of orders, "
                f"which are {', '.join(names)}"
            )
        return self

    def shown(self) -> list[Curve]:
        """Return each arrangement, its name being its label."""
        return [
            Curve(name, self.dataset, self.test, name)
            for its in self.orders.values()
            for name in its
        ]

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        yield "dataset", "data set", self.dataset
        for label, its in self.orders.items():
            for name in its:
                yield f"orders.{label}", "arrangement", name

    def full_caption(self, table: "pd.DataFrame") -> str:
        """Return the advice, then the caption."""
        advice, *facts = self.plot().facts(table, self.series)
        return " ".join([advice, self.words(), *facts])
