"""Writing the files of a figure: the PDF, its caption, and an SVG for web pages."""

import argparse
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from nearfirst.common.files import writing
from nearfirst.common.text import paragraph
from nearfirst.figures.plot.fonts import complete

# At its default level it logs every glyph.
logging.getLogger("fontTools").setLevel(logging.WARNING)
# Text in a PDF can be searched, and edited in a drawing program; text in an SVG is outlines.
FONTS: dict[Any, Any] = {"svg.fonttype": "path", "svg.hashsalt": "nearfirst"}


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add `--output`, `--caption` and `--picture`."""
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PDF)")
    parser.add_argument(
        "--caption", type=Path, help="caption to write; default: beside the PDF, as .txt"
    )
    parser.add_argument("--picture", type=Path, help="also write the figure as SVG, for web pages")


@contextmanager
def saving(figure: Figure) -> Iterator[None]:
    """Give the texts of a figure fonts for all their characters, and apply settings to save it."""
    # A PDF embeds TrueType outlines (type 42), and draws others glyph by glyph (type 3).
    font_type = {"pdf.fonttype": 42 if complete(figure) else 3}
    with mpl.rc_context(FONTS | font_type), warnings.catch_warnings():
        # `complete` has warned already, in one line.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def write_figure(
    figure: Figure,
    text: str,
    arguments: argparse.Namespace,
    beside: Mapping[Path, str] | None = None,
) -> None:
    """Write a figure, its caption, and the texts `beside` by path: all files, or none.

    There are no time stamps: equal data give equal bytes.
    """
    caption = arguments.caption or arguments.output.with_suffix(".txt")
    texts = {caption: paragraph(text), **(beside or {})}
    with ExitStack() as files, saving(figure):
        metadata = {"CreationDate": None, "Subject": text}
        pdf = files.enter_context(writing(arguments.output))
        figure.savefig(pdf, format="pdf", metadata=metadata)
        if arguments.picture:
            svg = files.enter_context(writing(arguments.picture))
            figure.savefig(svg, format="svg", metadata={"Date": None})
        for path, content in texts.items():
            files.enter_context(writing(path)).write_text(content, encoding="utf-8")
