"""Loss of every test instance at every checkpoint of a segment."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import tracking
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the losses."""
    from nearfirst.evaluate import job

    job.run(arguments)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model, for its shape and its tokenizer")
    add("--instances", type=Path, required=True, help="test instances (Parquet)")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/")
    add("--dataset", help="data set of the run, if its checkpoints do not name it")
    add("--before", type=Path, nargs="*", default=[], help="those of earlier segments, in order")
    add("--output", type=Path, required=True, help="losses to write (Parquet)")
    cli.add_settings(parser, EvaluateSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    tracking.add_flag(parser)
    cli.run(main, parser.parse_args())
