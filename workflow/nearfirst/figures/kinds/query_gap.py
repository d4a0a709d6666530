"""What an order gains on the queries it was made for, on others, and elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import check_once
from nearfirst.figures.figure import QUERY, TEST, Caption, Label, Metric
from nearfirst.figures.shapes import ByArrangement

if TYPE_CHECKING:
    import pandas as pd


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
    sets: dict[Label, Annotated[str, Field(pattern=f"^({TEST}|{QUERY})$")]] = Field(
        min_length=2,
        description="Name of each set that is measured, and its split, such as `{in sample: "
        "specialist-1, held out: specialist-0}` where `data.NAME.query` is specialist-1; `query` "
        "is that of `query_path`. The gain on the first is compared with those on the others.",
    )

    program: ClassVar[str] = "query_gap"
    sections: ClassVar[Mapping[str, str]] = {"--settings": "comparison", "--curves": "curves"}

    @model_validator(mode="after")
    def _sets_differ(self) -> Self:
        check_once("sets", list(self.sets.values()))
        if self.reference not in self.curves:
            raise ValueError(
                f"reference: {self.reference!r} is none of the labels {', '.join(self.curves)}"
            )
        return self

    def test_sets(self) -> Sequence[str]:
        """Return the splits that are measured."""
        return list(self.sets.values())

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield each set that is measured, its data set, and the split."""
        yield from ((f"sets.{name}", self.dataset, split) for name, split in self.sets.items())

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
