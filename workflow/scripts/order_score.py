"""Correlate the losses of many orders with what each measure of similarity predicts."""

import argparse
import logging
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from nearfirst.common import cli
from nearfirst.common.parquet import read_table
from nearfirst.distance.side import Side, read_sides
from nearfirst.figures.arguments import write_csv
from nearfirst.figures.settings import CurveSettings, PredictionSettings
from nearfirst.order_score.orders import ORDER_LOSSES, random_orders
from nearfirst.order_score.score import Bootstrap, reliability, score, task_distances
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.rates import rates
from nearfirst.train.settings import TrainSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(OrderScoreSettings, arguments.settings)
    train = cast(TrainSettings, arguments.train)
    prediction = cast(PredictionSettings, arguments.prediction)
    runs = read_table(arguments.losses, ORDER_LOSSES, unique=None).to_pandas()
    if runs["task"].nunique() == 1:
        # Data without tasks: each conversation is a unit of its own, as elsewhere.
        runs["task"] = runs["id"]
    measured = runs[["id", "task"]].drop_duplicates()
    tasks = list(dict.fromkeys(measured["task"]))
    losses, reliabilities = {}, {}
    for step, its in runs.groupby("step"):
        parts = [its[its["task"] == task].pivot(index="order", columns="id") for task in tasks]
        of_tasks = [part["loss"].to_numpy(np.float64) for part in parts]
        losses[step] = np.stack([part.mean(axis=1) for part in of_tasks], axis=1)
        reliabilities[step] = np.array([reliability(part) for part in of_tasks])
    by_step: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
    for name, of_train, of_test in arguments.embeddings:
        pool, test = read_sides(arguments.instances, Path(of_train), arguments.test, Path(of_test))
        kept = [test.ids.index(id_) for id_ in measured["id"]]
        test = Side(list(measured["id"]), list(measured["task"]), test.embeddings[kept])
        orders = random_orders(len(pool.ids), train.batch_size, settings)
        rows, places = np.unique(orders, return_inverse=True)
        places = places.reshape(len(orders), settings.steps, train.batch_size)
        for measure in settings.measures:
            distances = task_distances(measure, pool, rows, test)
            by_step[name, measure] = np.stack([distances[each].mean(axis=1) for each in places])
    its_rates = rates(train, settings.steps)
    confidence = cast(CurveSettings, arguments.curves).confidence
    bootstrap = Bootstrap(confidence, prediction.resamples, prediction.seed)
    table = score(losses, reliabilities, by_step, its_rates, bootstrap)
    write_csv(table, arguments.output, "%.6g")
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
        help="a representation, and its vectors of both (Parquet); several",
    )
    add("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, OrderScoreSettings)
    cli.add_settings(parser, TrainSettings, "--train")
    cli.add_settings(parser, PredictionSettings, "--prediction")
    cli.add_settings(parser, CurveSettings, "--curves")
    cli.run(main, parser.parse_args())
