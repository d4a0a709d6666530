"""Distance between the training data seen so far and test data (Sections B.3 and B.4)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.spatial.distance import cdist

from nearfirst.common.by_task import rows_by_task
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SIMILARITY
from nearfirst.distance.distances import BY_ROWS, ROWS, Matrix, RowDistances, in_blocks
from nearfirst.distance.ngram_divergence import kl_curves
from nearfirst.distance.settings import SimilaritySettings
from nearfirst.distance.side import Side

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

OPERATIONS = {"min": np.minimum, "max": np.maximum, "avg": np.add}
ALL_TASKS = ""
"""Name of the group that is the whole test set."""


def checkpoints(
    instances: int, batch_size: int, every: int, steps: int | Literal["epoch"], epochs: int = 1
) -> tuple[Integers, Integers]:
    """Return the (K,) steps of the checkpoints after step 0, and the instances seen at each.

    `steps` is the length of an epoch; the first epoch sees all of its instances. Raises InputError
    if there are not enough instances for the steps.
    """
    max_steps = -(-instances // batch_size)
    last = max_steps if steps == "epoch" else steps
    if last > max_steps:
        raise InputError(
            f"--steps: {last} steps of {batch_size} need more than the {instances} instances of "
            f"the arrangement; the largest number of steps is {max_steps}"
        )
    at_steps = np.array([*range(every, last * epochs, every), last * epochs], dtype=np.int64)
    return at_steps, np.minimum(np.minimum(at_steps, last) * batch_size, instances)


def similarity_table(
    train: Side,
    test: Side,
    texts: tuple[Sequence[str], Sequence[str]],
    order: Integers,
    steps: Integers,
    seen: Integers,
    settings: SimilaritySettings,
    threads: int = 2,
) -> pa.Table:
    """Return the table `SIMILARITY`: nine measures per checkpoint, for each test task and all.

    `texts` are those of `train` and `test`, `order` the (n,) rows of `train` in training order.
    `steps` and `seen` come from `checkpoints`. Raises InputError as `kl_curves`.
    """
    groups = rows_by_task(test.tasks) | {ALL_TASKS: np.arange(len(test.tasks))}
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

    Each distance is computed once: the minima, maxima and sums of each column between two
    checkpoints are accumulated over the checkpoints, then combined by group. Raises InputError if
    an embedding is all zeros.

    Parameters
    ----------
    train, test
        (N, d) and (M, d) float32.
    order
        (n,) indices of training points in training order, possibly not all.
    ends
        (K,) number of points seen at each checkpoint, ascending, from 1 to n.
    groups
        Indices of the test points of each of G tasks, at least one per task.
    threads
        CPU threads; they do not change a bit.

    Returns
    -------
    (K, G) for each of `cosine-min`, `cosine-max`, `cosine-avg`, `cosine-centroid` and the same for
    `euclidean`. A centroid at the origin has no direction: its cosine distance is NaN.
    """
    ends = np.asarray(ends)
    cuts = np.union1d(np.arange(0, ends[-1], ROWS), ends)
    parts = [order[start:stop] for start, stop in pairwise(cuts)]
    last_part = np.searchsorted(cuts[1:], ends)

    columns = np.concatenate(list(groups.values()))
    sizes = np.array([len(rows) for rows in groups.values()])
    starts = np.cumsum(sizes) - sizes
    sums = np.stack([train[part].sum(axis=0, dtype=np.float64) for part in parts])
    seen_means = np.cumsum(sums, axis=0)[last_part] / ends[:, None]
    group_means = np.stack([test[rows].mean(axis=0, dtype=np.float64) for rows in groups.values()])

    curves: dict[str, Floats] = {}
    for measure, by_rows in BY_ROWS.items():
        parts_by_test = _reduce_parts(by_rows(train, test), parts, len(test), threads, measure)
        for (name, op), values in zip(OPERATIONS.items(), parts_by_test, strict=True):
            prefixes = op.accumulate(values)[last_part]
            curves[f"{measure}-{name}"] = op.reduceat(prefixes[:, columns], starts, axis=1)
        curves[f"{measure}-avg"] /= ends[:, None] * sizes
        # SciPy's cosine distance is 1 − cos, Eq. 8's is −cos.
        centroid_distances = cdist(seen_means, group_means, measure)
        curves[f"{measure}-centroid"] = centroid_distances - (measure == "cosine")
    return curves


def _reduce_parts(
    distances: RowDistances, parts: Sequence[Integers], tests: int, threads: int, label: str
) -> tuple[Floats, Floats, Floats]:
    """Return the (P, M) minima, maxima and sums of the distances from P parts to M test points."""
    low, high, total = (np.empty((len(parts), tests)) for _ in range(3))

    def reduce_part(i: int) -> None:
        block = distances(parts[i])
        low[i], high[i] = block.min(axis=0), block.max(axis=0)
        total[i] = block.sum(axis=0, dtype=np.float64)

    in_blocks(reduce_part, range(len(parts)), threads, label)
    return low, high, total
