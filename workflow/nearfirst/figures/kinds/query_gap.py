"""What an order gains on the queries it was made for, on others, and elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import (
    Caption,
    Experiment,
    Label,
    Metric,
    OtherTest,
    test_set,
)
from nearfirst.figures.shapes import ByArrangement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawn

    from nearfirst.figures.look import LookSettings


class Settings(ByArrangement):
    """What an order gains over others on several sets: its queries, those held out, and elsewhere.

    The gain is how much better the metric is than that of another order at the same step.
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
        "NFT", description="Label of the order whose gain over the others it is."
    )
    sets: dict[Label, OtherTest] = Field(
        {},
        description="Name of each set that is measured, and its split, such as `{in sample: "
        "specialist-1, held out: specialist-0}` where `data.NAME.query` is specialist-1; `query` "
        "is that of `query_path`, and `NAME.SPLIT` that of another data set. The gain on the first "
        "is compared with those on the others. Empty: the test set of the data set. Those of "
        "`evaluate.also` come after these.",
    )

    program: ClassVar[str] = "query_gap"
    sections: ClassVar[Mapping[str, str]] = {"--settings": "comparison", "--curves": "curves"}

    @model_validator(mode="after")
    def _sets_differ(self) -> Self:
        check_once("sets", list(self.sets.values()))
        if self.metric != "loss" and any("." in its for its in self.sets.values()):
            raise ValueError("sets: of another data set only the loss is measured")
        if self.reference not in self.curves:
            raise ValueError(
                f"reference: {self.reference!r} is none of the labels {', '.join(self.curves)}"
            )
        return self

    def also(self, names: Sequence[str], experiment: Experiment) -> Self:
        """Return the figure with the test sets of other data sets, and that of its own if none."""
        sets = self.sets or {self.dataset: experiment.test_of(self.dataset)}
        for name in names if self.metric == "loss" else ():
            test = f"{name}.{experiment.test_of(name)}"
            if name != self.dataset and test not in sets.values():
                sets = {**sets, name: test}
        return self.model_copy(update={"sets": sets})

    def test_sets(self) -> Sequence[str]:
        """Return the splits that are measured."""
        return list(self.sets.values())

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield each set that is measured, its data set, and the split."""
        for name, test in self.sets.items():
            yield f"sets.{name}", *test_set(test, self.dataset)

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield each key that names a data set or an arrangement, what it names, and the name."""
        yield from super().references()
        yield from ((key, "data set", dataset) for key, dataset, _ in self.splits())

    def draw(self, table: "pd.DataFrame", look: "LookSettings") -> "Drawn":
        """Draw gains and gaps, and zero, where nothing is gained."""
        drawn = super().draw(table, look)
        for axes in drawn.axes:
            axes.axhline(0, color="black", linewidth=0.6)
        # How wide the numbers of the axes are is known after a first layout.
        drawn.draw_without_rendering()
        return drawn

    def full_caption(self, table: "pd.DataFrame") -> str:
        """Return the caption: words, then the gains over the whole run and their intervals."""
        found = []
        for (name, panel), its in table.groupby(["arrangement", "panel"], sort=False):
            row = its.iloc[0]
            shared = (
                f", {row['shared']:.0f} of {row['instances']:.0f} instances are in the first set"
            )
            found.append(
                f"{panel}, {name}: {row['over_run']:.3g} over the run "
                f"[{row['over_run_low']:.3g}, {row['over_run_high']:.3g}]"
                f"{shared if row['shared'] else ''}."
            )
        level = f"{100 * table['confidence'].max():g}%"
        seeds = f"{int(table['n'].max())} seeds" if table["n"].max() > 1 else "one seed"
        return " ".join(
            [
                self.words(),
                f"Above zero {self.reference} is better. Bands are {level} intervals over "
                f"{seeds} and the units of the test set.",
                *found,
            ]
        )
