"""How far the training data seen so far are from test data (Sections B.3 and B.4)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.spatial.distance import cdist

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SIMILARITY
from nearfirst.distance.distances import BY_ROWS, ROWS, Matrix, RowDistances, in_blocks
from nearfirst.distance.ngram_divergence import kl_curves
from nearfirst.distance.side import Side
from nearfirst.distance.similarity_settings import SimilaritySettings

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WHOLE = ""
"""Name of the group that is the whole test set."""


def checkpoints(
    instances: int, batch_size: int, every: int, steps: int | Literal["epoch"], epochs: int = 1
) -> tuple[Integers, Integers]:
    """Return the (K,) steps of the checkpoints after step 0, and the instances seen at each.

    An epoch has so many `steps`; after the first, all has been seen.

    Raises
    ------
    InputError
        If there are more steps than the arrangement has instances for.
    """
    epoch = -(-instances // batch_size)
    last = epoch if steps == "epoch" else steps
    if last > epoch:
        raise InputError(
            f"--steps: {last} steps of {batch_size} need more than the {instances} instances of "
            f"the arrangement; the largest number of steps is {epoch}"
        )
    at = np.array([*range(every, last * epochs, every), last * epochs], dtype=np.int64)
    return at, np.minimum(np.minimum(at, last) * batch_size, instances)


def groups_of(tasks: Sequence[str]) -> dict[str, Integers]:
    """Return the test instances of each task, in order of appearance, and of the whole test set."""
    groups: dict[str, list[int]] = {task: [] for task in tasks}
    for row, task in enumerate(tasks):
        groups[task].append(row)
    groups[WHOLE] = list(range(len(tasks)))
    return {name: np.array(rows, dtype=np.int64) for name, rows in groups.items()}


def similarity_table(
    train: Side,
    test: Side,
    texts: tuple[Sequence[str], Sequence[str]],
    order: Integers,
    at: tuple[Integers, Integers],
    settings: SimilaritySettings,
    threads: int = 2,
) -> pa.Table:
    """Return the table `SIMILARITY`: nine measures at each checkpoint, for each test task and all.

    Parameters
    ----------
    train, test, texts
        The instances, and the texts of both sides.
    order
        (n,) rows of `train` in training order.
    at
        (K,) steps of the checkpoints, and instances seen at each, as `checkpoints` returns them.
    settings
        Those of the n-gram divergence.
    threads
        CPU threads; they do not change a bit.

    Raises
    ------
    InputError
        As `kl_curves`.
    """
    steps, seen = at
    groups = groups_of(test.tasks)
    curves = embedding_curves(train.embeddings, test.embeddings, order, seen, groups, threads)
    seen_texts = [texts[0][row] for row in order[: seen[-1]]]
    curves["ngram-kl"] = kl_curves(
        seen_texts, texts[1], seen, groups, **settings.model_dump(exclude={"representation"})
    )
    shape = (len(steps), len(groups), len(curves))
    step, task, measure = (indices.ravel() for indices in np.indices(shape, dtype=np.int32))
    columns = {
        "step": steps.astype(np.int32)[step],
        "seen": seen.astype(np.int32)[step],
        "task": pa.array(list(groups)).take(pa.array(task)),
        "measure": pa.array(list(curves)).take(pa.array(measure)),
        "distance": np.stack(list(curves.values()), axis=-1).ravel(),
    }
    return pa.table(columns, schema=SIMILARITY)


def embedding_curves(
    train: Matrix,
    test: Matrix,
    order: Integers,
    ends: Sequence[int] | Integers,
    groups: Mapping[str, Integers],
    threads: int = 2,
) -> dict[str, Floats]:
    """Return SD_k = Op(D[:seen, group]) for every prefix of an order (Eq. 10).

    Every distance is computed once: the columns' minima, maxima and sums of the points between two
    checkpoints are accumulated over the checkpoints, then taken together by group.

    Parameters
    ----------
    train, test
        (N, d) and (M, d) float32.
    order
        (n,) indices of training points in training order; some may be left out.
    ends
        (K,) number of points seen at each checkpoint, ascending, from 1 to n.
    groups
        Indices of the test points of each of G tasks, at least one per task.
    threads
        CPU threads; they do not change a bit.

    Returns
    -------
    (K, G) for each of `cosine-min`, `cosine-max`, `cosine-avg`, `cosine-centroid` and the same of
    `euclidean`. A centroid at the origin has no direction: its cosine distance is NaN.

    Raises
    ------
    InputError
        If the dimensions differ or an embedding is all zeros.
    """
    ends = np.asarray(ends)
    cuts = np.union1d(np.arange(0, ends[-1], ROWS), ends)
    parts = [order[start:stop] for start, stop in pairwise(cuts)]
    at = np.searchsorted(cuts[1:], ends)  # the last part of each prefix

    columns = np.concatenate(list(groups.values()))
    sizes = np.array([len(rows) for rows in groups.values()])
    starts = np.cumsum(sizes) - sizes
    sums = np.stack([train[part].sum(axis=0, dtype=np.float64) for part in parts])
    seen = np.cumsum(sums, axis=0)[at] / ends[:, None]
    centres = np.stack([test[rows].mean(axis=0, dtype=np.float64) for rows in groups.values()])

    curves: dict[str, Floats] = {}
    for measure, by_rows in BY_ROWS.items():
        low, high, total = _by_column(by_rows(train, test), parts, len(test), threads, measure)
        for name, of_columns, op in (
            ("min", np.minimum.accumulate(low)[at], np.minimum),
            ("max", np.maximum.accumulate(high)[at], np.maximum),
            ("avg", np.cumsum(total, axis=0)[at], np.add),
        ):
            curves[f"{measure}-{name}"] = op.reduceat(of_columns[:, columns], starts, axis=1)
        curves[f"{measure}-avg"] /= ends[:, None] * sizes
        # Ours is −cos, SciPy's 1 − cos.
        curves[f"{measure}-centroid"] = cdist(seen, centres, measure) - (measure == "cosine")
    return curves


def _by_column(
    distances: RowDistances, parts: Sequence[Integers], tests: int, threads: int, what: str
) -> tuple[Floats, Floats, Floats]:
    """Return the (P, M) minima, maxima and sums of the distances of P parts to M test points."""
    low, high, total = (np.empty((len(parts), tests)) for _ in range(3))

    def part(number: int) -> None:
        found = distances(parts[number])
        low[number], high[number] = found.min(axis=0), found.max(axis=0)
        total[number] = found.sum(axis=0, dtype=np.float64)

    in_blocks(part, range(len(parts)), threads, what)
    return low, high, total
