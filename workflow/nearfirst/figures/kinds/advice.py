"""Which part of a pool to train on, and in which order: held-out loss against pool share."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import Caption, Curve, Figure, Label, Test

if TYPE_CHECKING:
    import pandas as pd

SHARES = (10, 25, 50, 100)


class Settings(Figure):
    """Held-out loss against the share of the pool that is trained on, with advice in words."""

    kind: Literal["advice"] = "advice"
    caption: Caption = (
        "Mean test {metric} on {dataset} after training on the first part of each order, against "
        "its share of the pool. One half of the test instances chooses, and unless there are "
        "separate queries the orders are made for this half; the {metric} shown is measured on the "
        "other half, which neither has seen."
    )
    dataset: str = Field("flan", description="Data set of the runs.")
    test: Test | None = Field(
        None, description="Test set that is measured; null: the test set of the data set."
    )
    orders: dict[Label, list[str]] = Field(
        {
            "nearest first": [f"advice-nearest-{share}" for share in SHARES],
            "at random": [f"advice-random-{share}" for share in SHARES],
        },
        min_length=1,
        description="Name of each order and its arrangements, of `arrangements`, which take "
        "different parts of the pool.",
    )
    baseline: str = Field(
        "advice-random-100", description="Arrangement that the advice is compared with."
    )

    computing: ClassVar[str] = "advice"
    sections: ClassVar[Sequence[str]] = ("comparison", "curves")
    float_format: ClassVar[str] = "%.6g"
    takes_jobs: ClassVar[bool] = True
    drawing: ClassVar[str] = "advice"
    series: ClassVar[str] = "order"

    @model_validator(mode="after")
    def _check_baseline(self) -> Self:
        names = list(chain(*self.orders.values()))
        check_once("orders", names)
        if self.baseline not in names or len(names) < 2:
            raise ValueError(
                f"baseline: {self.baseline!r}: expected one of two or more arrangements of orders, "
                f"which are {', '.join(names)}"
            )
        return self

    def shown(self) -> list[Curve]:
        """Return each arrangement, labelled with its name."""
        names = chain(*self.orders.values())
        return [Curve(name, self.dataset, self.test, name) for name in names]

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield (key, `data set` or `arrangement`, name) for each name that the row refers to."""
        yield "dataset", "data set", self.dataset
        for order, names in self.orders.items():
            for name in names:
                yield f"orders.{order}", "arrangement", name

    def full_caption(self, table: "pd.DataFrame") -> str:
        """Return the advice, then the caption."""
        advice, *facts = self.plot().facts(table, self.series)
        return " ".join([advice, self.caption_text(), *facts])
