"""Join the paired comparisons of all figures, and correct over all of them at once.

For instance:
  comparisons.py results/fig3_paired.csv results/fig4_paired.csv --output comparisons.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import parser, write_csv
from nearfirst.tables.comparisons import join_comparisons, read_comparison


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    names = [path.stem.removesuffix("_paired") for path in arguments.tables]
    tables = map(read_comparison, arguments.tables)
    table = join_comparisons(dict(zip(names, tables, strict=True)))
    write_csv(table, arguments.output, "%.6g")
    logging.info("%d tests of %d figures", len(table), len(names))


if __name__ == "__main__":
    flags = parser(__doc__, "comparisons that compare.py wrote: FIGURE_paired.csv")
    flags.epilog = "The name of a file is that of its figure."
    cli.run(main, flags.parse_args())
