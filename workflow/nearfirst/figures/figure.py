"""The base class of all kinds of figure: their runs, captions and headings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from nearfirst.common.settings import Section, check_once
from nearfirst.metrics import HARNESS, METRICS, MetricName

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawn

    from nearfirst.figures.look import LookSettings

HELD_OUT = "heldout"
"""Test set of held-out rows, not of tasks."""
QUERY = "query"
"""Query set that comes from a separate file."""
TEST = f"(generalist|specialist)-(0|[1-9][0-9]*)|{HELD_OUT}"
Test = Annotated[str, Field(pattern=f"^({TEST})$")]
OtherTest = Annotated[str, Field(pattern=rf"^(.+\.)?({TEST}|{QUERY})$")]
"""A test set of the figure's data set, or `NAME.SPLIT` of another one."""
Label = Annotated[str, Field(pattern=r"^\S")]
Caption = Annotated[
    str,
    Field(
        description="First sentences of the caption. `{metric}` and `{dataset}` are replaced by "
        "their names; `{rouge}`, `{reward_model}`, `{tasks}`, `{within_round}` and `{ngrams}` by "
        "what the config chose."
    ),
]
Metric = Annotated[
    MetricName,
    Field(
        description=f"Metric of the curves: {', '.join(METRICS)}, "
        f"or `{HARNESS}TASK` of lm-evaluation-harness."
    ),
]


class RunId(NamedTuple):
    """A run, and the test set on which it is measured."""

    dataset: str
    test: str
    arrangement: str
    seed: int


def test_set(test: str, dataset: str) -> tuple[str, str]:
    """Split `NAME.SPLIT` into a data set, by default that of the run, and its split."""
    other, _, split = test.rpartition(".")
    return other or dataset, split


def has_conversations_as_units(test: str) -> bool:
    """Return whether a test set has no tasks, or topics that all appear in training."""
    return test_set(test, "")[1] in (HELD_OUT, QUERY)


def listed(names: Sequence[str]) -> str:
    """Return names as a list in words: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


class Curve(NamedTuple):
    """A label of a figure and its runs; None is the default test set of the data set."""

    label: str
    dataset: str
    test: str | None
    arrangement: str


class Contrast(NamedTuple):
    """A weighted sum of labels' values that is tested against zero."""

    name: str
    weights: Mapping[str, float]
    words: str
    """Beginning of its sentence."""


class Labelled:
    """A figure or a table whose labels stand for runs."""

    def shown(self) -> list[Curve]:
        """Return the labels, in order, with their runs."""
        raise NotImplementedError

    def labels(self) -> list[str]:
        """Return the labels in order."""
        return list(dict.fromkeys(curve.label for curve in self.shown()))

    def label(self, run: RunId) -> str | None:
        """Return the label of a run, or None if it is not shown."""
        for label, dataset, test, arrangement in self.shown():
            if run[:3] == (dataset, test or run.test, arrangement):
                return label
        return None

    def runs(self, config: Any) -> list[RunId]:
        """Return the runs of all labels, label by label."""
        return [
            RunId(dataset, test or config.test_of(dataset), arrangement, seed)
            for _, dataset, test, arrangement in self.shown()
            for seed in config.seeds_of(arrangement)
        ]


class Figure(Labelled, Section):
    """A row of the config table `figures`.

    A kind of figure is a module of `figures/kinds/` with a subclass `Settings`. Its class variables
    name the modules of `figures/` and `figures/plot/` that compute its numbers and draw them.
    """

    kind: str = Field(description="What the figure shows: the type of this row.")
    caption: Caption
    section: str = Field("Your figures", description="Heading of the figure in the report.")

    computing: ClassVar[str] = "curves"
    """Module of `figures/` whose `compute` returns the numbers."""
    sections: ClassVar[Sequence[str]] = ("curves",)
    """Sections of the config that it reads."""
    takes_jobs: ClassVar[bool] = False
    """Whether it also needs `test` (a file of test instances) and `jobs` (files of job times)."""
    extra_outputs: ClassVar[Sequence[str]] = ()
    """Endings of the names of further tables."""
    float_format: ClassVar[str] = "%.6f"
    """Format of numbers in the CSV."""
    drawing: ClassVar[str] = "curves"
    """Module of `figures/plot/` that draws and describes the CSV."""
    series: ClassVar[str] = "arrangement"
    """Column that distinguishes the curves of a panel."""

    @model_validator(mode="after")
    def _check_curves(self) -> Self:
        check_once("curves", list(getattr(self, "curves", {}).values()))
        return self

    def metric_names(self) -> list[MetricName]:
        """Return the metrics that the figure needs."""
        return [getattr(self, "metric", "loss")]

    def needs_similarity(self) -> bool:
        """Return whether the figure needs the similarity of its runs to the test set."""
        return False

    def arguments(self, config: Any) -> dict[str, str]:
        """Return the flags of `figure_numbers.py` that are not in `sections`, with their values."""
        return {}

    def contrasts(self) -> list[Contrast]:
        """Return the paired comparisons that belong to the figure."""
        return []

    def references(self) -> Iterator[tuple[str, str, str]]:
        """Yield (key, `data set` or `arrangement`, name) for each name that the row refers to."""
        for key, what in (("dataset", "data set"), ("arrangement", "arrangement")):
            if hasattr(self, key):
                yield key, what, getattr(self, key)
        what = "arrangement" if hasattr(self, "dataset") else "data set"
        for label, name in getattr(self, "curves", {}).items():
            yield f"curves.{label}", what, name

    def splits(self) -> Iterator[tuple[str, str, str]]:
        """Yield (key, data set, test set) for each test set that the row names."""
        key = "tests" if hasattr(self, "tests") else "test"
        named = {(curve.dataset, curve.test) for curve in self.shown() if curve.test}
        yield from ((key, dataset, test) for dataset, test in sorted(named))

    def numbers(self) -> dict[str, Any]:
        """Return the part of the row that the figure's numbers depend on."""
        return self.model_dump(mode="json", exclude={"caption", "section"})

    def caption_text(self) -> str:
        """Return the caption without the counts from the figure's numbers."""
        metric = listed([METRICS[name].name for name in self.metric_names()])
        dataset = str(getattr(self, "dataset", ""))
        return self.caption.replace("{metric}", metric).replace("{dataset}", dataset)

    def heading(self) -> str:
        """Return the heading in the report, which sorts headings as text.

        A second space, which browsers collapse, puts Figure 2 before Figure 10.
        """
        return re.sub(r"^Figure (?=\d\b)", "Figure  ", self.section)

    def compute(self, tables: Sequence[Path], settings: object) -> "list[pd.DataFrame]":
        """Return the numbers of the figure, then its further tables.

        `settings` has an attribute for each of `sections`, and for each flag of `arguments`.
        """
        module = import_module(f"nearfirst.figures.{self.computing}")
        numbers: list[pd.DataFrame] = module.compute(self, tables, settings)
        return numbers

    def plot(self) -> ModuleType:
        """Return the module that draws the figure."""
        return import_module(f"nearfirst.figures.plot.{self.drawing}")

    def draw(self, table: "pd.DataFrame", look: "LookSettings") -> "Drawn":
        """Draw the numbers of the figure."""
        drawn: Drawn = self.plot().draw(table, look, self.series)
        return drawn

    def full_caption(self, table: "pd.DataFrame") -> str:
        """Return the caption, with counts from the numbers of the figure."""
        return " ".join([self.caption_text(), *self.plot().facts(table, self.series)])
