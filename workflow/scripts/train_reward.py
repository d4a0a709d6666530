"""Train a small reward model on preference pairs and measure its accuracy on held-out ones."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing, writing_folder
from nearfirst.common.parquet import read_table
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.reward.settings import RewardTextSettings, RewardTrainingSettings
from nearfirst.reward.table import PREFERENCES


def main(arguments: argparse.Namespace) -> None:
    """Write the model's folder, in the layout of UltraRM, and the accuracy."""
    keep_one_gpu()
    from nearfirst.reward.train import train

    pairs = read_table(arguments.pairs, PREFERENCES, unique=None).to_pandas()
    with writing_folder(arguments.output) as folder, writing(arguments.accuracy) as path:
        accuracy = train(pairs, arguments.model, arguments.settings, arguments.text, folder)
        accuracy.to_csv(path, index=False, float_format="%.6f")
    logging.info("\n%s", accuracy.to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--pairs", type=Path, required=True, help="preference pairs (Parquet)")
    add("--model", required=True, help="base model to start from, a Llama")
    add("--output", type=Path, required=True, help="model folder to write")
    add("--accuracy", type=Path, required=True, help="accuracy to write (CSV)")
    cli.add_settings(parser, RewardTrainingSettings)
    cli.add_settings(parser, RewardTextSettings, "--text")
    cli.run(main, parser.parse_args())
