"""The files of a figure: the PDF, its caption, and the picture for web pages."""

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from matplotlib.figure import Figure

from nearfirst.common.files import writing
from nearfirst.common.text import paragraph
from nearfirst.figures.plot.style import save, save_picture


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add `--output`, `--caption` and `--picture`."""
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PDF)")
    parser.add_argument(
        "--caption", type=Path, help="caption to write; default: beside the PDF, as .txt"
    )
    parser.add_argument("--picture", type=Path, help="the figure for web pages, too (SVG)")


def write_figure(
    figure: Figure,
    text: str,
    arguments: argparse.Namespace,
    beside: Mapping[Path, str] | None = None,
) -> None:
    """Write a figure to what `add_outputs` was given, all of it or nothing.

    Parameters
    ----------
    figure, text
        The figure and its caption.
    arguments
        What the flags of `add_outputs` gave.
    beside
        Further files of the figure, and their texts.
    """
    caption = arguments.caption or arguments.output.with_suffix(".txt")
    texts = {caption: paragraph(text), **(beside or {})}
    with ExitStack() as files:
        save(figure, files.enter_context(writing(arguments.output)), text)
        if arguments.picture:
            save_picture(figure, files.enter_context(writing(arguments.picture)))
        for path, content in texts.items():
            files.enter_context(writing(path)).write_text(content, encoding="utf-8")
