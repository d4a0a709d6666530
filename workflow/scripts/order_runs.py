"""Train many random orders of the same instances from one base model; keep their losses."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model.settings import TemplateSettings
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.lock import locked
from nearfirst.train.settings import TrainSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the losses of all orders, early and late."""
    keep_one_gpu()
    from nearfirst.order_score.runs import Job, train_orders

    job = Job(
        arguments.model,
        arguments.instances,
        arguments.test,
        arguments.settings,
        arguments.train,
        arguments.evaluate,
        arguments.template,
    )
    processes = max(1, arguments.threads // job.train.threads)
    with locked(arguments.output.with_suffix(".lock")):
        train_orders(job, arguments.output, processes, read_identity(arguments.test))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model: folder or Hugging Face id")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--test", type=Path, required=True, help="test instances (Parquet)")
    add("--output", type=Path, required=True, help="losses to write (Parquet)")
    cli.add_threads(parser)
    cli.add_settings(parser, OrderScoreSettings)
    cli.add_settings(parser, TrainSettings, "--train")
    cli.add_settings(parser, EvaluateSettings, "--evaluate")
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.run(main, parser.parse_args())
