"""What was found, as the rows of two tables: the numbers behind the figure, and the pairs."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.arrange.tma import Rounds
from nearfirst.explore.duplicates import Pairs
from nearfirst.explore.neighbours import Near, Neighbours
from nearfirst.explore.settings import ExplorationSettings

Integers = npt.NDArray[np.int64]

COLUMNS = ("panel", "what", "task", "x", "width", "value", "n", "measure")
PAIRS = (
    *("kind", "train_id", "train_task", "test_id", "test_task"),
    *("text_similarity", "embedding_similarity", "pairs_of_kind"),
)
QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}


class Row(NamedTuple):
    """A number of the figure.

    Attributes
    ----------
    panel
        What it belongs to: `about`, `distance`, `task`, `neighbour`, `round`, `pairs`,
        `pairs_train`, `pairs_test`.
    what
        What it is there.
    value
        The number.
    n
        Of how many.
    task
        The test task.
    x, width
        Where it stands, and how wide: a bin, a round, a rank.
    """

    panel: str
    what: str
    value: float
    n: int | None = None
    task: str = ""
    x: float | None = None
    width: float | None = None


class Side(NamedTuple):
    """The instances of one side.

    Attributes
    ----------
    ids
        Their ids.
    names
        Names of the T different tasks.
    tasks
        (N,) task of each, from 0.
    """

    ids: list[str]
    names: list[str]
    tasks: Integers

    def groups(self) -> dict[str, Integers]:
        """Return the rows of each task."""
        return {name: np.flatnonzero(self.tasks == i) for i, name in enumerate(self.names)}


def about(
    train: Side, test: Side, near: Near, found: Neighbours, settings: ExplorationSettings
) -> Iterator[Row]:
    """Say how much there is, and what counts as what."""
    for name, side, its in (("train", train, found.of_train), ("test", test, found.of_test)):
        yield Row("about", f"{name}_instances", len(side.ids))
        yield Row("about", f"{name}_tasks", len(side.names))
        yield Row("about", f"{name}_median", float(np.median(its)), len(its))
    yield Row("about", "shared_tasks", len(set(train.names) & set(test.names)))
    yield Row("about", f"near: {near.basis}", near.distance, near.sample)
    yield Row("about", "near_quantile", settings.near_quantile)
    yield Row("about", f"ngram: {settings.ngram_of}", settings.ngram)
    yield Row("about", "text_similarity", settings.text_similarity)
    yield Row("about", "embedding_similarity", settings.embedding_similarity)


def histograms(found: Neighbours, near: Near, bins: int) -> Iterator[Row]:
    """Count the instances of either side by the distance to their nearest one of the other."""
    sides = {"train": found.of_train.astype(np.float64), "test": found.of_test.astype(np.float64)}
    every = np.concatenate([*sides.values(), [near.distance]])
    # What counts as near is in it: copies alone would give bins as wide as a rounding error.
    edges = np.histogram_bin_edges(every[np.isfinite(every)], bins)
    for name, values in sides.items():
        counts = np.histogram(values, edges)[0]
        for x, width, count in zip(edges[:-1], np.diff(edges), counts, strict=True):
            yield Row("distance", name, int(count), len(values), x=float(x), width=float(width))


def of_tasks(
    train: Side,
    groups: Mapping[str, Integers],
    found: Neighbours,
    near: Near,
    near_train: Integers,
    most: int,
) -> Iterator[Row]:
    """Say how near the pool is to each test task, and which training tasks are its nearest."""
    for (task, rows), count in zip(groups.items(), near_train, strict=True):
        its, size = found.of_test[rows].astype(np.float64), len(rows)
        for name, quantile in QUANTILES.items():
            yield Row("task", name, float(np.quantile(its, quantile)), size, task)
        if np.isfinite(near.distance):
            is_near = found.of_test[rows] <= near.distance
            yield Row("task", "near_test", int(is_near.sum()), size, task)
            yield Row("task", "near_train", int(count), len(train.ids), task)
        nearest = Counter(train.tasks[found.train[rows]].tolist()).most_common(most)
        for rank, (number, times) in enumerate(nearest, 1):
            yield Row("neighbour", train.names[number], times, size, task, rank)


def of_rounds(rounds: Rounds) -> Iterator[Row]:
    """Count the instances of each round."""
    for number, count in enumerate(np.bincount(rounds)[1:].tolist(), 1):
        yield Row("round", "instances", count, len(rounds), x=number)


def of_pairs(pairs: Mapping[str, Pairs]) -> Iterator[Row]:
    """Count the pairs of each kind, and the instances in them; `any` counts an instance once."""
    for kind, its in pairs.items():
        yield Row("pairs", kind, its.total, len(its.train))
    for panel, sides in (
        ("pairs_train", {kind: its.in_train for kind, its in pairs.items()}),
        ("pairs_test", {kind: its.in_test for kind, its in pairs.items()}),
    ):
        either = np.logical_or.reduce(list(sides.values()))
        for kind, which in {**sides, "any": either}.items():
            yield Row(panel, kind, int(which.sum()), len(which))


def write_rows(rows: Iterable[Row], measure: str, path: Path) -> None:
    """Write the numbers behind the figure as CSV; a number that is not there is left empty."""
    _write(path, COLUMNS, ([*_ordered(row), measure] for row in rows))


def _ordered(row: Row) -> list[object]:
    fields = row._asdict()
    return [_cell(fields[name]) for name in COLUMNS[:-1]]


def write_pairs(pairs: Mapping[str, Pairs], train: Side, test: Side, path: Path) -> None:
    """Write the listed pairs of all kinds as CSV."""

    def rows() -> Iterator[list[object]]:
        for kind, its in pairs.items():
            for i, j, *alike in zip(*its[:4], strict=True):
                of_train = train.ids[i], train.names[train.tasks[i]]
                of_test = test.ids[j], test.names[test.tasks[j]]
                yield [kind, *of_train, *of_test, *(f"{one:.4f}" for one in alike), its.total]

    _write(path, PAIRS, rows())


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    # Distances are float32, which nine digits tell apart.
    return f"{value:.9g}" if isinstance(value, float) else value
