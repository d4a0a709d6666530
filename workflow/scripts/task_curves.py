r"""Loss of single unseen tasks, and how similar what was seen is to them: the numbers of a figure.

For instance:
  task_curves.py --run RT 0 specialist-0 L.parquet --similarity RT 0 specialist-0 S.parquet \
      --pick 1 --of 3 --quantities loss cosine-min --panel task --output figure.csv

Where no task is named, tasks are picked by a rule: of T unseen tasks by name, number i of evenly
spread ones is at floor((i + 1/2) * T / OF), both counted from 0.
"""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.run import common_tasks
from nearfirst.figures.run_arguments import (
    TEST,
    add_runs,
    add_similarities,
    read_groups,
    read_similarities,
)
from nearfirst.figures.settings import CurveSettings
from nearfirst.figures.task_curves import choose_tasks, task_curves


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(CurveSettings, arguments.settings)
    tests = read_groups(arguments.run, TEST)
    similarities = read_similarities(arguments.similarity)
    known = common_tasks(run for runs in tests.values() for run in runs.values())
    count, offset = arguments.pick or 1, arguments.offset
    of = count + offset if arguments.of is None else arguments.of
    tasks = choose_tasks(known, arguments.tasks, (count, offset, of))
    logging.info("of %d unseen tasks: %s", len(known), ", ".join(tasks))
    table = task_curves(
        tests,
        similarities,
        tasks,
        arguments.quantities,
        arguments.panel,
        settings.weighting,
        settings.confidence,
    )
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    logging.info("%d points", len(table))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add_runs(parser, TEST)
    add_similarities(parser, required=False)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--tasks", nargs="+", metavar="NAME", help="unseen tasks; `task851` will do")
    which.add_argument("--pick", type=int, metavar="COUNT", help="how many to pick by the rule")
    add("--offset", type=int, default=0, metavar="K", help="number of the first one picked")
    add("--of", type=int, metavar="OF", help="how many are evenly spread; default: COUNT + K")
    add(
        "--quantities",
        nargs="+",
        default=["loss"],
        metavar="NAME",
        help="loss, measures of the similarity tables, scaled-cosine-avg",
    )
    add(
        "--panel",
        choices=["task", "test", "quantity"],
        default="task",
        help="what differs between the panels",
    )
    add("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, CurveSettings)
    cli.run(main, parser.parse_args())
