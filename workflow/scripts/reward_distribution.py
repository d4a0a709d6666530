"""Hold the rewards of right answers (Exact Match 1) against those of wrong ones."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.reward_distribution import answers, distribution
from nearfirst.figures.run_arguments import add_runs, read_runs
from nearfirst.figures.settings import DistributionSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(DistributionSettings, arguments.settings)
    scores = read_runs(arguments.scores, "exact_match", "--scores")
    rewards = read_runs(arguments.rewards, "reward", "--rewards")
    found, left_out = answers(scores, rewards, settings.checkpoints)
    logging.info("%d answers; %d instances have no score or no reward", len(found), left_out)
    table = distribution(found, settings, left_out)
    with writing(arguments.output) as path:
        # Points of a fine grid far from zero differ in late digits only.
        table.to_csv(path, index=False, float_format="%.12g")
    numbers = table[~table["what"].isin(["histogram", "density"])].drop(columns=["x", "width"])
    logging.info("\n%s", numbers.to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser, label="the data set, the same for all", flag="--scores")
    add_runs(parser, label="the data set, the same for all", flag="--rewards")
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, DistributionSettings)
    cli.run(main, parser.parse_args())
