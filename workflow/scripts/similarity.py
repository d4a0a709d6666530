r"""Measure the distance of the data seen at each checkpoint to each test task, in nine ways.

For instance:
  similarity.py --train-instances I1.parquet --train-embeddings E1.parquet \
      --test-instances I2.parquet --test-embeddings E2.parquet --arrangement A.parquet \
      --output S.parquet

The task "" is the whole test set.
"""

import argparse
import logging
from pathlib import Path
from typing import Literal

import numpy as np

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import write_table
from nearfirst.data.conversation import text_of
from nearfirst.data.instances import conversations, read_instances, rows_in_order
from nearfirst.distance.settings import SimilaritySettings
from nearfirst.distance.side import read_sides
from nearfirst.distance.similarity import checkpoints, similarity_table


def main(arguments: argparse.Namespace) -> None:
    """Write the curves of one arrangement."""
    settings: SimilaritySettings = arguments.settings
    paths = arguments.train_instances, arguments.test_instances
    embeddings = arguments.train_embeddings, arguments.test_embeddings
    train, test = read_sides(paths[0], embeddings[0], paths[1], embeddings[1])
    order = np.array(rows_in_order(arguments.arrangement, train.ids, paths[0]))
    every, epochs = arguments.checkpoint_every, arguments.epochs
    steps, seen = checkpoints(len(order), arguments.batch_size, every, arguments.steps, epochs)
    logging.info("%d checkpoints", len(steps))
    texts = _read_texts(paths[0]), _read_texts(paths[1])
    table = similarity_table(train, test, texts, order, steps, seen, settings, arguments.threads)
    identity = read_identity(paths[1]) | read_identity(arguments.arrangement)
    write_table(table, arguments.output, identity)


def _read_texts(path: Path) -> list[str]:
    return [text_of(messages) for messages in conversations(read_instances(path))]


def _parse_steps(text: str) -> int | Literal["epoch"]:
    return "epoch" if text == "epoch" else cli.positive(text)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train-instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--test-instances", type=Path, required=True, help="test instances (Parquet)")
    add("--test-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--arrangement", type=Path, required=True, help="order of the training instances (Parquet)")
    add("--batch-size", type=cli.positive, default=16, help="instances per step")
    add("--checkpoint-every", type=cli.positive, default=10, help="steps between checkpoints")
    add("--steps", type=_parse_steps, default="epoch", metavar="N|epoch", help="steps of an epoch")
    add("--epochs", type=cli.positive, default=1, help="epochs of the run")
    add("--output", type=Path, required=True, help="step, seen, task, measure, distance (Parquet)")
    cli.add_threads(parser)
    cli.add_settings(parser, SimilaritySettings)
    cli.run(main, parser.parse_args())
