r"""Loss of single unseen tasks, and their similarity to the data seen so far.

For instance:
  task_curves.py results/{losses,similarity}/flan/specialist-0/*/seed-0*/*.parquet \
      --figure '{"kind": "tasks", "quantities": ["loss", "cosine-min"]}' --output figure.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.read import read_runs, read_similarities, results_by_test
from nearfirst.figures.run import common_tasks
from nearfirst.figures.settings import CurveSettings
from nearfirst.figures.task_curves import choose_tasks, task_curves


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings, figure = arguments.settings, arguments.figure
    tests = results_by_test(read_runs(arguments.tables), figure, figure.tests)
    similarities = {}
    if figure.quantities != ["loss"]:
        by_run = read_similarities(arguments.tables)
        similarities = results_by_test(by_run, figure, figure.tests)
    unseen = common_tasks(run for runs in tests.values() for run in runs.values())
    tasks = choose_tasks(unseen, figure.tasks, figure.pick)
    logging.info("of %d unseen tasks: %s", len(unseen), ", ".join(tasks))
    table = task_curves(
        tests,
        similarities,
        tasks,
        figure.quantities,
        figure.panels,
        settings.weighting,
        settings.confidence,
    )
    write_csv(table, arguments.output, "%.6f")
    logging.info("%d points", len(table))


if __name__ == "__main__":
    flags = parser(__doc__, "losses and similarities (Parquet)")
    add_figure(flags)
    cli.add_settings(flags, CurveSettings)
    cli.run(main, flags.parse_args())
