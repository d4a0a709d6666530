r"""Loss of single unseen tasks, and how similar the data seen so far are to them.

For instance:
  task_curves.py results/{losses,similarity}/flan/specialist-0/*/seed-0*/*.parquet \
      --figure '{"kind": "tasks", "quantities": ["loss", "cosine-min"]}' --output figure.csv
"""

import argparse
import logging
from typing import cast

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.kinds.tasks import Settings
from nearfirst.figures.read import labelled_by_test, read_runs, read_similarities
from nearfirst.figures.run import common_tasks
from nearfirst.figures.settings import CurveSettings
from nearfirst.figures.task_curves import choose_tasks, task_curves


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(CurveSettings, arguments.settings)
    figure = cast(Settings, arguments.figure)
    tests = labelled_by_test(read_runs(arguments.tables), figure, figure.tests)
    similarities = {}
    if figure.quantities != ["loss"]:
        similar = read_similarities(arguments.tables)
        similarities = labelled_by_test(similar, figure, figure.tests)
    known = common_tasks(run for runs in tests.values() for run in runs.values())
    tasks = choose_tasks(known, figure.tasks, figure.pick)
    logging.info("of %d unseen tasks: %s", len(known), ", ".join(tasks))
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
