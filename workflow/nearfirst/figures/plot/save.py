"""Writing the files of a figure: the PDF, its caption, and an SVG for web pages."""

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
    parser.add_argument("--picture", type=Path, help="also write the figure as SVG, for web pages")


def write_figure(
    figure: Figure,
    text: str,
    arguments: argparse.Namespace,
    beside: Mapping[Path, str] | None = None,
) -> None:
    """Write a figure, its caption and further files, all or none, where `add_outputs` says."""
    caption = arguments.caption or arguments.output.with_suffix(".txt")
    texts = {caption: paragraph(text), **(beside or {})}
    with ExitStack() as files:
        save(figure, files.enter_context(writing(arguments.output)), text)
        if arguments.picture:
            save_picture(figure, files.enter_context(writing(arguments.picture)))
        for path, content in texts.items():
            files.enter_context(writing(path)).write_text(content, encoding="utf-8")
