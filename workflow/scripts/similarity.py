r"""Nine measures of how far the data seen at each checkpoint are from each unseen task.

For instance:
  similarity.py --train-instances I1.parquet --train-embeddings E1.parquet \
      --test-instances I2.parquet --test-embeddings E2.parquet --arrangement A.parquet \
      --output S.parquet

The task "" stands for the whole test set.
"""

import argparse
import logging
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np
import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.parquet import SIMILARITY, read_embeddings, write_table
from nearfirst.data.instances import (
    conversations,
    read_instances,
    rows_in_order,
    same_ids,
    text_of,
)
from nearfirst.distance.distances import Matrix, check_dimensions
from nearfirst.distance.ngram_divergence import kl_curves
from nearfirst.distance.similarity import checkpoints, embedding_curves, groups_of
from nearfirst.distance.similarity_settings import SimilaritySettings


class Side(NamedTuple):
    """Training or test instances, and their embeddings."""

    ids: list[str]
    tasks: list[str]
    texts: list[str]
    embeddings: Matrix


def main(arguments: argparse.Namespace) -> None:
    """Write the curves of one arrangement."""
    settings = cast(SimilaritySettings, arguments.settings)
    train = _side(arguments.train_instances, arguments.train_embeddings)
    test = _side(arguments.test_instances, arguments.test_embeddings)
    check_dimensions(
        *(arguments.train_embeddings, train.embeddings),
        *(arguments.test_embeddings, test.embeddings),
    )
    order = np.array(
        rows_in_order(arguments.arrangement, train.ids, arguments.train_instances), dtype=np.int64
    )
    steps, seen = checkpoints(
        len(order), arguments.batch_size, arguments.checkpoint_every, arguments.steps
    )
    groups = groups_of(test.tasks)
    curves = embedding_curves(
        train.embeddings, test.embeddings, order, seen, groups, arguments.threads
    )
    curves["ngram-kl"] = kl_curves(
        [train.texts[row] for row in order[: seen[-1]]],
        test.texts,
        seen,
        groups,
        n=settings.ngram,
        epsilon=settings.epsilon,
        counting=settings.counting,
    )
    names, measures = list(groups), list(curves)
    shape = (len(steps), len(names), len(measures))
    step, task, measure = (indices.ravel() for indices in np.indices(shape, dtype=np.int32))
    columns = {
        "step": steps.astype(np.int32)[step],
        "seen": seen.astype(np.int32)[step],
        "task": pa.array(names).take(pa.array(task)),
        "measure": pa.array(measures).take(pa.array(measure)),
        "distance": np.stack(list(curves.values()), axis=-1).ravel(),
    }
    write_table(pa.table(columns, schema=SIMILARITY), arguments.output)
    logging.info("%d checkpoints, %d groups of test points, %d measures", *shape)


def _side(instances: Path, embeddings: Path) -> Side:
    table = read_instances(instances)
    ids, vectors = read_embeddings(embeddings)
    same_ids(table["id"].to_pylist(), ids, instances, embeddings)
    texts = [text_of(messages) for messages in conversations(table)]
    return Side(ids, table["task"].to_pylist(), texts, vectors)


def _steps(text: str) -> int | Literal["epoch"]:
    return "epoch" if text == "epoch" else cli.positive(text)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train-instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--test-instances", type=Path, required=True, help="test instances (Parquet)")
    add("--test-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--arrangement", type=Path, required=True, help="order of the training instances (Parquet)")
    add("--batch-size", type=cli.positive, default=16, help="instances a step")
    add("--checkpoint-every", type=cli.positive, default=10, help="steps between checkpoints")
    add(
        "--steps",
        type=_steps,
        default="epoch",
        metavar="N|epoch",
        help="steps of the run; epoch: as many as the arrangement holds",
    )
    add("--output", type=Path, required=True, help="step, seen, task, measure, distance (Parquet)")
    cli.add_threads(parser)
    cli.add_settings(parser, SimilaritySettings)
    cli.run(main, parser.parse_args())
