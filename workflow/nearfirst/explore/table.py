"""The results of an exploration as two tables: the numbers behind the figure, and the pairs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.arrange.tma import rounds_by
from nearfirst.common.by_task import rows_by_task
from nearfirst.distance.distances import BY_ROWS, to_reader_scale
from nearfirst.distance.neighbours import neighbours
from nearfirst.distance.side import Side
from nearfirst.explore.duplicates import Pairs
from nearfirst.explore.near import nearness
from nearfirst.explore.read import NUMBERS
from nearfirst.explore.settings import ExplorationSettings

Floats = npt.NDArray[np.float64]

PAIRS = (
    *("kind", "train_id", "train_task", "test_id", "test_task"),
    *("text_similarity", "embedding_similarity", "pairs_of_kind"),
)
COSINES = (0.9, 0.7, 0.5)
"""Absolute levels of nearness: at each, test instances are counted by their nearest cosine."""
BINS = 40
"""Bins of the histograms."""
NEIGHBOURS = 3
"""Nearest training tasks listed for each test task."""
QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}


class Row(NamedTuple):
    """A number of the figure: panel and name, task, position on the x axis, value and total."""

    panel: str
    what: str
    task: str = ""
    x: float | None = None
    width: float | None = None
    value: float = 0
    n: int | None = None


def numbers(
    train: Side,
    test: Side,
    pairs: Mapping[str, Pairs],
    measure: str,
    settings: ExplorationSettings,
    threads: int = 2,
) -> Iterator[Row]:
    """Yield all numbers of the figure, with cosine distances as 1 − cos.

    `measure` is a name in `BY_ROWS`; `threads` do not change the result.
    """
    distances = BY_ROWS[measure](train.embeddings, test.embeddings)
    n_train, n_test = len(train.ids), len(test.ids)
    near = nearness(train, test, measure, settings.near_quantile, threads)
    nearest = neighbours(distances, n_train, n_test, threads)
    is_near = nearest.of_test <= near.distance
    limit = float(to_reader_scale(measure, near.distance))
    medians = np.median(nearest.of_train), np.median(nearest.of_test)
    for name, side, median in zip(("train", "test"), (train, test), medians, strict=True):
        yield Row("about", f"{name}_instances", value=len(side.ids))
        yield Row("about", f"{name}_tasks", value=len(set(side.tasks)))
        value = float(to_reader_scale(measure, median))
        yield Row("about", f"{name}_median", value=value, n=len(side.ids))
    yield Row("about", "cut", value=train.cut, n=n_train)
    yield Row("about", "distinct", value=train.distinct, n=n_train)
    yield Row("about", "shared_tasks", value=len(set(train.tasks) & set(test.tasks)))
    yield Row("about", f"near: {near.basis}", value=limit, n=len(near.distances))
    yield Row("about", "near_quantile", value=settings.near_quantile)
    if near.distances:
        below = float((np.array(near.distances) < np.median(nearest.of_test)).mean())
        yield Row("about", "median_quantile", value=below, n=len(near.distances))
    for cosine in COSINES if measure == "cosine" else ():
        count = int((nearest.of_test <= -cosine).sum())
        yield Row("about", f"cosine_{cosine}", value=count, n=n_test)
    yield Row("about", f"ngram: {settings.ngram_of}", value=settings.ngram)
    yield Row("about", "text_similarity", value=settings.text_similarity)
    yield Row("about", "embedding_similarity", value=settings.embedding_similarity)
    of_train, of_test = (
        to_reader_scale(measure, side) for side in (nearest.of_train, nearest.of_test)
    )
    yield from histograms({"train": of_train, "test": of_test}, limit)
    for task, rows in rows_by_task(test.tasks).items():
        nearest_tasks = [train.tasks[i] for i in nearest.train[rows]]
        yield from task_rows(task, of_test[rows], nearest_tasks)
        if np.isfinite(limit):
            count = int(is_near[rows].sum())
            yield Row("task", "near_test", task, value=count, n=len(rows))
    rounds = np.bincount(rounds_by(distances, n_train, n_test, threads=threads))
    for number, count in enumerate(rounds[1:].tolist(), 1):
        yield Row("round", "instances", x=number, value=count, n=n_train)
    for kind, kind_pairs in pairs.items():
        yield Row("pairs", kind, value=kind_pairs.total, n=len(kind_pairs.listed()))
        for name, is_in_pair in (("train", kind_pairs.in_train), ("test", kind_pairs.in_test)):
            yield Row(f"pairs_{name}", kind, value=int(is_in_pair.sum()), n=len(is_in_pair))


def histograms(sides: Mapping[str, Floats], near: float) -> Iterator[Row]:
    """Count the instances of each side by the distance to the nearest one on the other side."""
    # Bins reach to `near`: they are not too narrow when all distances are 0 but for rounding.
    values = np.concatenate([*sides.values(), [near]])
    edges = np.histogram_bin_edges(values[np.isfinite(values)], BINS)
    for name, distances in sides.items():
        counts = np.histogram(distances, edges)[0].tolist()
        for x, width, count in zip(edges.tolist(), np.diff(edges).tolist(), counts, strict=False):
            yield Row("distance", name, x=x, width=width, value=count, n=len(distances))


def task_rows(task: str, distances: Floats, nearest_tasks: Sequence[str]) -> Iterator[Row]:
    """Yield how near the pool is to a test task, and its nearest training tasks.

    `distances` (m,) are those of its instances to their nearest training instances, which have the
    tasks `nearest_tasks`.
    """
    size = len(nearest_tasks)
    for name, quantile in QUANTILES.items():
        yield Row("task", name, task, value=float(np.quantile(distances, quantile)), n=size)
    for rank, (name, count) in enumerate(Counter(nearest_tasks).most_common(NEIGHBOURS), 1):
        yield Row("neighbour", name, task, x=rank, value=count, n=size)


def table_of(rows: Iterable[Row], measure: str) -> pd.DataFrame:
    """Return the numbers behind the figure as a table; missing ones are NaN."""
    table = pd.DataFrame(rows, columns=Row._fields).assign(measure=measure)
    return table.astype(dict.fromkeys(NUMBERS, float))


def table_of_pairs(pairs: Mapping[str, Pairs], train: Side, test: Side) -> pd.DataFrame:
    """Return the listed pairs of all kinds."""
    rows = [
        (kind, train.ids[i], train.tasks[i], test.ids[j], test.tasks[j], text, cosine, found.total)
        for kind, found in pairs.items()
        for i, j, text, cosine in found.listed()
    ]
    return pd.DataFrame(rows, columns=PAIRS)
