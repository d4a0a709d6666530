"""Reading what a method looks at."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.scores import Scores, read_scores, scores_of_rows
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import INSTANCES, SOURCES, TOKENS, read_embeddings, read_table
from nearfirst.data.half import in_half
from nearfirst.data.instances import conversations, read_instances, same_ids
from nearfirst.distance.dimensions import check_dimensions
from nearfirst.distance.distances import BY_ROWS
from nearfirst.distance.matrix import read_matrix


def read_pool(
    settings: ArrangementSettings,
    measure: str = "cosine",
    threads: int = 2,
    *,
    instances: Path | None = None,
    train: Path | None = None,
    test: Path | None = None,
    distances: Path | None = None,
    queries: Path | None = None,
    scores: Path | None = None,
    tokens: Path | None = None,
    excluded: Path | None = None,
) -> tuple[list[str], Pool]:
    """Return the ids of the training instances, and what is read of them (`settings.looks_at`).

    Parameters
    ----------
    measure
        `cosine` or `euclidean`, where there is no matrix of distances.
    instances, train, test, distances
        Training instances; embeddings of both sides; the (N, M) matrix of their distances.
    queries, scores, tokens
        Test instances, for their messages and tasks; tables of the training instances' scores or
        losses, and of their tokens.
    excluded
        A CSV whose column `id` names training instances to leave out.

    Raises
    ------
    InputError
        If a file that the method needs is not given, cannot be read, or does not fit the others.
    """
    needed = settings.looks_at()

    def need(name: str, path: Path | None) -> Path:
        if path is None:
            raise InputError(f"method {settings.method!r} needs --{name}")
        return path

    ids: list[str] = []
    parts: dict[str, Any] = {}
    if needed - {"embeddings"} or instances:
        path = need("instances", instances)
        if "messages" in needed:
            table = read_instances(path)
            parts["messages"] = table["messages"].to_pylist()
        else:  # texts may be gigabytes
            table = read_table(path, pa.schema([INSTANCES.field("id"), INSTANCES.field("task")]))
        ids = table["id"].to_pylist()
        if "tasks" in needed:
            parts["tasks"] = table["task"].to_pylist()
        if needed & {"queries", "query_tasks"}:
            its = read_instances(need("queries", queries))
            its = its.filter(pa.array(_shown(settings, its["id"].to_pylist())))
            parts |= {"queries": conversations(its), "query_tasks": its["task"].to_pylist()}
        if "tokens" in needed:
            path_of_tokens = need("tokens", tokens)
            counts = read_table(path_of_tokens, TOKENS)
            same_ids(ids, counts["id"].to_pylist(), path, path_of_tokens)
            parts["tokens"] = counts["tokens"].to_pylist()
        if "scores" in needed:
            parts["scores"] = _scores(settings, ids, path, scores)
    if "embeddings" in needed or not instances:
        path = need("train", train)
        embedded, vectors = read_embeddings(path)
        if instances:
            same_ids(ids, embedded, instances, path)
        ids = embedded
        if "embeddings" in needed:
            path_of_test = need("test", test)
            names, targets = read_embeddings(path_of_test)
            check_dimensions(path, vectors, path_of_test, targets)
            shown = _shown(settings, names)
            if distances:
                matrix = read_matrix(distances, (len(vectors), len(targets)))
                by_rows = matrix.__getitem__ if shown.all() else lambda rows: matrix[rows][:, shown]
            targets = targets[shown]
            if not distances:
                by_rows = BY_ROWS[measure](vectors, targets)
            parts |= {"train": vectors, "test": targets, "distances": by_rows}
    pool = Pool(len(ids), measure=measure, threads=threads, **parts)
    if excluded and (out := _excluded(excluded)):
        kept = np.array([row for row, id_ in enumerate(ids) if id_ not in out], dtype=np.int64)
        return [ids[row] for row in kept], pool.keeping(kept)
    return ids, pool


def _excluded(path: Path) -> set[str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["id"] for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: no CSV with a column 'id' ({error})") from None


def _shown(settings: ArrangementSettings, ids: list[str]) -> npt.NDArray[np.bool_]:
    """Return for which of the (M,) test instances the order is made."""
    return in_half(ids) if settings.queries == "half" else np.ones(len(ids), dtype=bool)


def _scores(
    settings: ArrangementSettings, ids: list[str], instances: Path, path: Path | None
) -> Scores:
    """Return the scores that `method: score` names; raises what `scores` raises."""
    if column := getattr(settings, "column", None):
        rows = read_table(instances, pa.schema([SOURCES.field("row")]), unique=None)["row"]
        return scores_of_rows(rows.to_pylist(), column, ids, instances)
    given = path or getattr(settings, "path", None)
    if given is None:
        raise InputError(
            f"method {settings.method!r}: a loss is measured by a model; give its table with "
            "--scores, or another score as column or path"
        )
    if getattr(settings, "quantity", None) == "loss":
        return read_scores(Path(given), ids, "loss", may_lack=True)
    return read_scores(Path(given), ids)
