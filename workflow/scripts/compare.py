"""Compare one arrangement with the others, paired by seed and test instance, in one metric."""

import argparse
import logging
from collections import Counter
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.common.text import paragraph
from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.comparison.summary import summary
from nearfirst.figures.run import scaled
from nearfirst.figures.run_arguments import add_metric, add_runs, read_runs
from nearfirst.figures.settings import ComparisonSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV, and what it says in words."""
    settings = cast(ComparisonSettings, arguments.settings)
    reference, metric = arguments.reference, arguments.metric
    runs = scaled(read_runs(arguments.run, metric), metric)
    table = paired_comparison(runs, reference, metric=metric, **settings.model_dump())
    text = summary(table, reference, Counter(label for label, _ in runs))
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    if arguments.summary:
        with writing(arguments.summary) as path:
            path.write_text(paragraph(text), encoding="utf-8")
    logging.info("\n%s\n\n%s", table.to_string(index=False), text)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser)
    add_metric(parser)
    parser.add_argument("--reference", required=True, help="label held against the others")
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    parser.add_argument("--summary", type=Path, help="what it says, in words (text)")
    cli.add_settings(parser, ComparisonSettings)
    cli.run(main, parser.parse_args())
