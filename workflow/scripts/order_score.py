"""Correlate the losses of many orders with the predictions of each similarity measure."""

import argparse
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import read_table
from nearfirst.distance.side import Side, read_sides
from nearfirst.figures.arguments import write_csv
from nearfirst.figures.figure import has_conversations_as_units
from nearfirst.figures.settings import CurveSettings, PredictionSettings
from nearfirst.order_score.orders import ORDER_LOSSES, random_orders
from nearfirst.order_score.score import Bootstrap, reliability, score, task_distances
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.rates import rates
from nearfirst.train.settings import TrainSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings: OrderScoreSettings = arguments.settings
    train: TrainSettings = arguments.train
    prediction: PredictionSettings = arguments.prediction
    runs = read_table(arguments.losses, ORDER_LOSSES, unique=None).to_pandas()
    identity = read_identity(arguments.losses)
    unit = "task"
    if has_conversations_as_units(identity.get("test", "")):
        unit = "conversation"
    elif runs["task"].nunique() == 1:
        unit = "instance"
    if unit != "task":
        runs["task"] = runs["id"]
    instances = runs[["id", "task"]].drop_duplicates()
    ids, tasks = list(instances["id"]), list(instances["task"])
    losses, reliabilities = {}, {}
    for step, group in runs.groupby("step"):
        by_task = [
            group[group["task"] == task].pivot(index="order", columns="id", values="loss")
            for task in dict.fromkeys(tasks)
        ]
        matrices = [table.to_numpy(np.float64) for table in by_task]
        losses[step] = np.stack([matrix.mean(axis=1) for matrix in matrices], axis=1)
        reliabilities[step] = np.array([reliability(matrix) for matrix in matrices])
    by_step: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
    for name, *paths in arguments.embeddings:
        train_path, test_path = map(Path, paths)
        pool, test = read_sides(arguments.instances, train_path, arguments.test, test_path)
        evaluated = Side(ids, tasks, test.embeddings[[test.ids.index(id_) for id_ in ids]])
        orders = random_orders(len(pool.ids), train.batch_size, settings)
        rows, positions = np.unique(orders, return_inverse=True)
        positions = positions.reshape(len(orders), settings.steps, train.batch_size)
        for measure in settings.measures:
            distances = task_distances(measure, pool, rows, evaluated)
            by_step[name, measure] = np.stack([distances[p].mean(axis=1) for p in positions])
    confidence = arguments.curves.confidence
    bootstrap = Bootstrap(confidence, prediction.resamples, prediction.seed)
    table = score(losses, reliabilities, by_step, rates(train, settings.steps), bootstrap)
    write_csv(table.assign(units=unit), arguments.output, "%.6g")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--losses", type=Path, required=True, help="losses of `order_runs.py` (Parquet)")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--test", type=Path, required=True, help="test instances (Parquet)")
    add(
        "--embeddings",
        nargs=3,
        action="append",
        required=True,
        metavar=("NAME", "TRAIN", "TEST"),
        help="representation, and its embeddings of both (Parquet); may be repeated",
    )
    add("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, OrderScoreSettings)
    cli.add_settings(parser, TrainSettings, "--train")
    cli.add_settings(parser, PredictionSettings, "--prediction")
    cli.add_settings(parser, CurveSettings, "--curves")
    cli.run(main, parser.parse_args())
