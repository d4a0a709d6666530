r"""Compare one arrangement with the others, paired by seed and unit of the test set.

For instance:
  compare.py results/losses/flan/specialist-0/*/seed-*/*.parquet --output paired.csv \
      --figure '{"kind": "arrangements", "curves": {"NFT": "tma-nearest", "RT": "random"},
                 "reference": "NFT"}'
"""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.common.text import paragraph
from nearfirst.figures.arguments import add_figure, add_weighting, parser, write_csv
from nearfirst.figures.comparison.paired import compare_contrasts
from nearfirst.figures.comparison.summary import summary
from nearfirst.figures.read import runs_of
from nearfirst.figures.run import by_label
from nearfirst.figures.settings import ComparisonSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV, and the findings in words."""
    settings, figure = arguments.settings, arguments.figure
    runs = runs_of(figure, arguments.tables, figure.metric)
    weights = {contrast.name: contrast.weights for contrast in figure.contrasts()}
    table = compare_contrasts(runs, weights, settings, figure.metric, arguments.weighting)
    seeds = {label: len(seeds) for label, seeds in by_label(runs).items()}
    rounds = [run.counted["rounds"] for run in runs.values() if "rounds" in run.counted]
    text = summary(table, figure, seeds, rounds)
    write_csv(table, arguments.output, "%.6g")
    if arguments.summary:
        with writing(arguments.summary) as path:
            path.write_text(paragraph(text), encoding="utf-8")
    logging.info("\n%s\n\n%s", table.to_string(index=False), text)


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores or rewards (Parquet)")
    add_figure(flags)
    flags.add_argument("--summary", type=Path, help="the findings in words (text)")
    add_weighting(flags)
    cli.add_settings(flags, ComparisonSettings)
    cli.run(main, flags.parse_args())
