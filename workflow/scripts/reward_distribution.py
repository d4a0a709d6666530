r"""Compare the rewards of right answers (Exact Match 1) with those of wrong ones.

For instance:
  reward_distribution.py results/{scores,rewards}/p3/generalist-0/random/seed-*/*.parquet \
      --figure '{"kind": "rewards", "dataset": "p3"}' --output figure.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.reward_distribution import answers, distribution
from nearfirst.figures.settings import DistributionSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings, figure = arguments.settings, arguments.figure
    scores, rewards = (
        results_of(read_runs(arguments.tables, metric), figure) for metric in figure.metric_names()
    )
    joined, left_out = answers(scores, rewards, settings.checkpoints)
    logging.info("%d answers; %d instances have no score or no reward", len(joined), left_out)
    table = distribution(joined, settings, left_out)
    # Points of a fine grid far from zero differ only in late digits.
    write_csv(table, arguments.output, "%.12g")
    numbers = table[~table["what"].isin(["histogram", "density"])].drop(columns=["x", "width"])
    logging.info("\n%s", numbers.to_string(index=False))


if __name__ == "__main__":
    flags = parser(__doc__, "scores and rewards (Parquet)")
    add_figure(flags)
    cli.add_settings(flags, DistributionSettings)
    cli.run(main, flags.parse_args())
