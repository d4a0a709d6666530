"""Draw the page of the results of `takeaways.py`, and write a sentence on each row.

For instance:
  plot_takeaways.py --table results/takeaways.csv --output takeaways.pdf
"""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.text import paragraph
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.save import add_outputs, write_figure
from nearfirst.takeaways.plot import draw_takeaways
from nearfirst.takeaways.verdicts import caption, read_takeaways, sentence


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, its text, and the picture for web pages."""
    table = read_takeaways(arguments.table)
    figure = draw_takeaways(table, arguments.look)
    title = f"{caption(table)} {arguments.about}".strip()
    paragraphs = [title, *(sentence(row) for _, row in table.iterrows())]
    path = arguments.caption or arguments.output.with_suffix(".txt")
    write_figure(figure, title, arguments, {path: "\n".join(map(paragraph, paragraphs))})


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="numbers to draw (CSV)")
    parser.add_argument("--about", default="", help="further text, such as what a seed changes")
    add_outputs(parser)
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
