"""Gains of an order on its queries, on held-out queries, and on other data sets."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import Caption, Label, Metric, OtherTest, test_set
from nearfirst.figures.shapes import ByArrangement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawn

    from nearfirst.figures.look import LookSettings


class Settings(ByArrangement):
    """Gains of an order over others on several sets: its queries, held-out ones, other data sets.

    The gain is how much better the metric is than with another order at the same step.
    """

    kind: Literal["query-gap"] = "query-gap"
    caption: Caption = "What an order of {dataset} gains in {metric} over another, by test set."
    metric: Metric = "loss"
    curves: dict[Label, str] = Field(
        {"NFT": "tma-nearest", "RT": "random"},
        min_length=2,
        description="Labels of the orders and their arrangements, of `arrangements`.",
    )
    reference: str = Field(
        "NFT", description="Label of the order whose gains over the others are shown."
    )
    sets: dict[Label, OtherTest] = Field(
        {},
        description="Name of each set that is measured, and its split, such as `{in sample: "
        "specialist-1, held out: specialist-0}` where `data.NAME.query` is specialist-1; `query` "
        "is the set of `query_path`, and `NAME.SPLIT` a split of another data set. The gain on the "
        "first is compared with the gains on the others. Empty: the test set of the data set. The "
        "sets of `evaluate.also` follow these.",
    )

    computing: ClassVar[str] = "query_gap"
    sections: ClassVar[Sequence[str]] = ("comparison", "curves")
    float_format: ClassVar[str] = "%.6g"

    @model_validator(mode="after")
    def _check_sets_and_reference(self) -> Self:
        check_once("sets", list(self.sets.values()))
        if self.metric != "loss" and any("." in test for test in self.sets.values()):
            raise ValueError("sets: only the loss is measured on other data sets")
        if self.reference not in self.curves:
            labels = ", ".join(self.curves)
            raise ValueError(f"reference: {self.reference!r} is none of the labels {labels}")
        return self

    def also(self, names: Sequence[str], config: Any) -> Self:
        """Return the figure with the test sets of other data sets added.

        If it has no sets, they follow the test set of its data set.
        """
        sets = self.sets or {self.dataset: config.test_of(self.dataset)}
        for name in names if self.metric == "loss" else ():
            test = f"{name}.{config.test_of(name)}"
            if name != self.dataset and test not in sets.values():
                sets = {**sets, name: test}
        return self.model_copy(update={"sets": sets})

    def test_sets(self) -> Sequence[str]:
        """Return the splits that are measured."""
        return list(self.sets.values())

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield (key, data set, split) for each set that is measured."""
        for name, test in self.sets.items():
            yield f"sets.{name}", *test_set(test, self.dataset)

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield (key, `data set` or `arrangement`, name) for each name that the row refers to."""
        yield from super().references()
        yield from ((key, "data set", dataset) for key, dataset, _ in self.splits())

    def draw(self, table: "pd.DataFrame", look: "LookSettings") -> "Drawn":
        """Draw gains and gaps, and a line at zero."""
        drawn = super().draw(table, look)
        for axes in drawn.axes:
            axes.axhline(0, color="black", linewidth=0.6)
        # The width of the tick labels is known only after a first layout.
        drawn.draw_without_rendering()
        return drawn

    def full_caption(self, table: "pd.DataFrame") -> str:
        """Return the caption, with the gains over the whole run and their intervals."""
        level = f"{100 * table['confidence'].max():g}%"
        seeds = f"{int(table['n'].max())} seeds" if table["n"].max() > 1 else "one seed"
        sentences = [
            self.caption_text(),
            f"Above zero {self.reference} is better. Bands are {level} intervals over "
            f"{seeds} and the units of the test set.",
        ]
        for _, row in table.drop_duplicates(["arrangement", "panel"]).iterrows():
            of_first = f"{row['shared']:.0f} of {row['instances']:.0f} instances"
            shared = f", {of_first} are in the first set" if row["shared"] else ""
            sentences.append(
                f"{row['panel']}, {row['arrangement']}: {row['over_run']:.3g} over the run "
                f"[{row['over_run_low']:.3g}, {row['over_run_high']:.3g}]{shared}."
            )
        return " ".join(sentences)
