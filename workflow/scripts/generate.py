"""Answer every test instance with every checkpoint of a segment."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.generate.settings import GenerateSettings
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the answers."""
    from nearfirst.generate import job

    job.run(arguments)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model, for its shape and tokenizer")
    add("--instances", type=Path, required=True, help="test instances (Parquet)")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/")
    add("--average", type=cli.positive, default=1, help="number of checkpoints to average")
    add("--before", type=Path, nargs="*", default=[], help="folders of earlier segments, in order")
    add("--seed", type=int, required=True, help="seed of the run")
    add("--batch-size", type=cli.positive, default=8, help="changes only rounding")
    add("--output", type=Path, required=True, help="answers to write (Parquet)")
    cli.add_settings(parser, GenerateSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.run(main, parser.parse_args())
