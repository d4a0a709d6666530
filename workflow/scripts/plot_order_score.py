"""Draw the results of `order_score.py`, and write the caption.

For instance:
  plot_order_score.py --table results/order_score.csv --dataset flan --output order_score.pdf
"""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.save import add_outputs, write_figure
from nearfirst.order_score.plot import draw_order_score, order_score_caption, read_order_score


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, its caption, and the picture for web pages."""
    table = read_order_score(arguments.table)
    figure = draw_order_score(table, arguments.look)
    write_figure(figure, order_score_caption(table, arguments.dataset), arguments)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="numbers to draw (CSV)")
    parser.add_argument("--dataset", required=True, help="name of the data set, for the caption")
    add_outputs(parser)
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
