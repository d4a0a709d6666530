"""Read what a method needs from files."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.scores import Scores, read_scores, scores_of_rows
from nearfirst.arrange.settings import ArrangementSettings
from nearfirst.common.embeddings import read_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ID_AND_TASK, SOURCES, TOKENS, read_table
from nearfirst.data.half import half_mask
from nearfirst.data.instances import conversations, read_instances, same_ids
from nearfirst.data.readers import parquet
from nearfirst.distance.distances import BY_ROWS, check_dimensions
from nearfirst.distance.matrix import read_matrix

FILES = {
    "instances": "training instances (Parquet), for all but embeddings",
    "train": "training embeddings (Parquet)",
    "test": "test embeddings (Parquet)",
    "distances": "their distance matrix (.npy), if there is one already",
    "queries": "test instances (Parquet), for their messages and tasks",
    "scores": "scores or losses of the training instances (Parquet)",
    "tokens": "token counts of the training instances (Parquet)",
    "excluded": "instances to leave out (CSV with a column id)",
}
"""The files that a pool is read from."""


def read_pool(
    settings: ArrangementSettings, measure: str = "cosine", threads: int = 2, **files: Path | None
) -> tuple[list[str], Pool]:
    """Return the ids of the training instances, and a pool with what `settings.all_needs` names.

    `measure` is `cosine` or `euclidean`, if there is no matrix of distances, and `files` are those
    of `FILES`. Raises InputError if a needed one is not given, cannot be read, or does not fit the
    others.
    """
    needs, instances = settings.all_needs(), files.get("instances")

    def require(name: str) -> Path:
        if (path := files.get(name)) is None:
            raise InputError(f"method {settings.method!r} needs --{name}")
        return path

    ids: list[str] = []
    parts: dict[str, Any] = {}
    if needs - {"embeddings"} or instances:
        path = require("instances")
        if "messages" in needs:
            table = read_instances(path)
            parts["messages"] = table["messages"].to_pylist()
        else:  # texts may be gigabytes
            table = read_table(path, ID_AND_TASK)
        ids = table["id"].to_pylist()
        if "tasks" in needs:
            parts["tasks"] = table["task"].to_pylist()
        if needs & {"queries", "query_tasks"}:
            table = read_instances(require("queries"))
            table = table.filter(pa.array(_query_mask(settings, table["id"].to_pylist())))
            parts |= {"queries": conversations(table), "query_tasks": table["task"].to_pylist()}
        if "tokens" in needs:
            token_path = require("tokens")
            counts = read_table(token_path, TOKENS)
            same_ids(ids, counts["id"].to_pylist(), path, token_path)
            parts["tokens"] = counts["tokens"].to_pylist()
        if "scores" in needs:
            parts["scores"] = _read_scores(settings, ids, path, files.get("scores"))
    if "embeddings" in needs or not instances:
        path = require("train")
        train_ids, train_vectors = read_embeddings(path)
        if instances:
            same_ids(ids, train_ids, instances, path)
        ids = train_ids
        if "embeddings" in needs:
            test_path = require("test")
            test_ids, test_vectors = read_embeddings(test_path)
            check_dimensions(path, train_vectors, test_path, test_vectors)
            mask = _query_mask(settings, test_ids)
            test_vectors = test_vectors[mask]
            if distances := files.get("distances"):
                matrix = read_matrix(distances, (len(train_vectors), len(mask)))
                by_rows = matrix.__getitem__ if mask.all() else lambda rows: matrix[rows][:, mask]
            else:
                by_rows = BY_ROWS[measure](train_vectors, test_vectors)
            parts |= {"train": train_vectors, "test": test_vectors, "distances": by_rows}
    pool = Pool(len(ids), measure=measure, threads=threads, **parts)
    excluded = files.get("excluded")
    if excluded:
        with excluded.open(newline="", encoding="utf-8") as file:
            excluded_ids = {row["id"] for row in csv.DictReader(file)}
        kept = np.array([row for row, id_ in enumerate(ids) if id_ not in excluded_ids], np.int64)
        return [ids[row] for row in kept], pool.keeping(kept)
    return ids, pool


def _query_mask(settings: ArrangementSettings, ids: list[str]) -> npt.NDArray[np.bool_]:
    """Return an (M,) mask of the test instances that the order is made for."""
    return half_mask(ids) if settings.queries == "half" else np.ones(len(ids), dtype=bool)


def _read_scores(
    settings: ArrangementSettings, ids: list[str], instances: Path, path: Path | None
) -> Scores:
    """Return the scores that `method: score` names."""
    if column := getattr(settings, "column", None):
        rows = parquet.rows(instances, pa.schema([SOURCES.field("row")]))
        return scores_of_rows((row["row"] for _, row in rows), column, ids, instances)
    path = path or getattr(settings, "path", None)
    if path is None:
        raise InputError(
            f"method {settings.method!r}: a loss needs a model to measure it; give a table of "
            "losses with --scores, or another score as column or path"
        )
    if getattr(settings, "quantity", None) == "loss":
        return read_scores(Path(path), ids, "loss", may_lack=True)
    return read_scores(Path(path), ids)
