r"""Look at a pool and a test set before training: distances, rounds of TMA, duplicates, leaks.

For instance:
  explore.py --train-instances I1.parquet --train-embeddings E1.parquet \
      --test-instances I2.parquet --test-embeddings E2.parquet \
      --output explore_mine.csv --pairs explore_mine_pairs.csv
"""

import argparse
import logging
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nearfirst.arrange.tma import rounds_by
from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.common.parquet import INSTANCES, read_embeddings, read_table
from nearfirst.data.instances import same_ids
from nearfirst.distance.distances import BY_ROWS, Matrix, check_dimensions
from nearfirst.explore.duplicates import Pairs, TextIndex, duplicates
from nearfirst.explore.neighbours import Near, counts_near, near_of_pool, neighbours
from nearfirst.explore.settings import ExplorationSettings
from nearfirst.explore.table import (
    Side,
    about,
    histograms,
    of_pairs,
    of_rounds,
    of_tasks,
    write_pairs,
    write_rows,
)
from nearfirst.explore.texts import read_exchanges


class Read(NamedTuple):
    """One side, and its embeddings."""

    side: Side
    embeddings: Matrix


def main(arguments: argparse.Namespace) -> None:
    """Write both tables."""
    settings = cast(ExplorationSettings, arguments.settings)
    threads = arguments.threads
    train, train_vectors = _read(arguments.train_instances, arguments.train_embeddings)
    test, test_vectors = _read(arguments.test_instances, arguments.test_embeddings)
    check_dimensions(
        *(arguments.train_embeddings, train_vectors, arguments.test_embeddings, test_vectors)
    )
    size = len(train.ids), len(test.ids)
    logging.info("%d training and %d test instances", *size)
    pairs = _duplicates(arguments, settings, train_vectors, test_vectors)

    near = _near(arguments, settings, train, test, train_vectors)
    logging.info("near: up to a distance of %.4f (%s)", near.distance, near.basis)
    distances = BY_ROWS[arguments.measure](train_vectors, test_vectors)
    found = neighbours(distances, *size, threads)
    groups = test.groups()
    near_train = counts_near(distances, size[0], groups, near.distance, threads)
    rounds = rounds_by(distances, *size, threads=threads)
    logging.info("%d rounds", rounds.max())
    rows = [
        *about(train, test, near, found, settings),
        *histograms(found, near, settings.bins),
        *of_tasks(train, groups, found, near, near_train, settings.neighbours),
        *of_rounds(rounds),
        *of_pairs(pairs),
    ]
    with writing(arguments.output) as numbers, writing(arguments.pairs) as listed:
        write_rows(rows, arguments.measure, numbers)
        write_pairs(pairs, train, test, listed)


def _read(instances: Path, embeddings: Path) -> Read:
    columns = pa.schema([INSTANCES.field("id"), INSTANCES.field("task")])
    table = read_table(instances, columns)
    ids = table["id"].to_pylist()
    if (bad := pc.index(pc.fill_null(table["task"], ""), "").as_py()) >= 0:
        raise InputError(f"{instances}: row {bad} (id '{ids[bad]}') has no task")
    embedded, vectors = read_embeddings(embeddings)
    same_ids(ids, embedded, instances, embeddings)
    tasks = table["task"].combine_chunks().dictionary_encode()
    numbers = tasks.indices.to_numpy().astype(np.int64)
    return Read(Side(ids, tasks.dictionary.to_pylist(), numbers), vectors)


def _duplicates(
    arguments: argparse.Namespace, settings: ExplorationSettings, train: Matrix, test: Matrix
) -> dict[str, Pairs]:
    """Find the pairs and say how many test instances the pool holds."""
    exchanges = [one for part in read_exchanges(arguments.test_instances) for one in part]
    pairs = duplicates(
        read_exchanges(arguments.train_instances),
        TextIndex(exchanges, settings.ngram, settings.ngram_of),
        BY_ROWS["cosine"](train, test),
        len(train),
        text_similarity=settings.text_similarity,
        embedding_similarity=settings.embedding_similarity,
        listed=settings.listed,
    )
    for kind, its in pairs.items():
        counts = its.total, its.in_train.sum(), its.in_test.sum()
        logging.info("%s: %d pairs of %d training and %d test instances", kind, *counts)
    same = pairs["identical text"]
    if same.in_test.all() and same.in_train.all():
        logging.warning(
            "the test set is the training set: %s and %s hold the same %d texts; give another test "
            "set",
            *(arguments.test_instances, arguments.train_instances, len(test)),
        )
    elif same.total:
        logging.warning(
            "%d of %d test instances (%s) have the very text of a training instance; %s lists them",
            *(same.in_test.sum(), len(test), arguments.test_instances, arguments.pairs),
        )
    return pairs


def _near(
    arguments: argparse.Namespace,
    settings: ExplorationSettings,
    train: Side,
    test: Side,
    vectors: Matrix,
) -> Near:
    if settings.near is not None:
        return Near(settings.near, "given", 0)
    return near_of_pool(
        arguments.measure,
        vectors,
        train.tasks,
        unseen=not set(train.names) & set(test.names),
        quantile=settings.near_quantile,
        sample=settings.near_sample,
        seed=settings.seed,
        threads=arguments.threads,
    )


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train-instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--test-instances", type=Path, required=True, help="test instances (Parquet)")
    add("--test-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--measure", choices=list(BY_ROWS), default="cosine", help="distance (default: cosine)")
    add("--output", type=Path, required=True, help="numbers behind the figure (CSV)")
    add("--pairs", type=Path, required=True, help="near-duplicates and leaks, with ids (CSV)")
    cli.add_threads(parser)
    cli.add_settings(parser, ExplorationSettings)
    cli.run(main, parser.parse_args())
