r"""Say how near a pool is to prompts, and draw it.

For instance:
  nearfirst explore pool.jsonl --for prompts.jsonl --output picture.pdf
  nearfirst explore pool.jsonl --for prompts.jsonl --pairs duplicates.csv
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from nearfirst.command import inputs
from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.explore.settings import ExplorationSettings

FIELDS = cli.fields_of(ExplorationSettings, without={"representation"})
SUFFIXES = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}
"""Forms of the picture, and the metadata without which equal data give equal bytes."""


def add_arguments(to: argparse.ArgumentParser) -> None:
    """Add the flags; those of the comparison come from its settings."""
    inputs.add_arguments(to)
    add = to.add_argument
    add("--output", type=Path, metavar="PICTURE", help="picture to draw: .pdf, .svg or .png")
    add("--pairs", type=Path, metavar="FILE", help="near-duplicates and leaks to list (CSV)")
    group = to.add_argument_group("the comparison")
    cli.add_fields(group, FIELDS)


def run(arguments: argparse.Namespace) -> None:
    """Print ten lines; draw the picture and list the pairs where they are asked for."""
    settings = ExplorationSettings.parse(cli.fields_given(arguments, FIELDS))
    output = arguments.output
    if output and output.suffix.lower() not in SUFFIXES:
        raise InputError(f"--output {output}: name it .pdf, .svg or .png")
    from nearfirst.common.files import writing
    from nearfirst.distance.side import read_sides
    from nearfirst.explore.duplicates import duplicates_of
    from nearfirst.explore.lines import lines
    from nearfirst.explore.table import numbers, table_of, table_of_pairs

    threads = inputs.encoder_of(arguments).threads
    with TemporaryDirectory(prefix="nearfirst-") as folder:
        tables, _ = inputs.read(arguments, Path(folder))
        inputs.embed(arguments, tables)
        files = [
            at(split)
            for split in ("train", "heldout")
            for at in (tables.instances, tables.embeddings)
        ]
        train, test = read_sides(*files)
        pairs = duplicates_of(train, test, files[0], files[2], settings)
        rows = numbers(train, test, pairs, arguments.measure, settings, threads)
        table = table_of(rows, arguments.measure)
    if arguments.pairs:
        with writing(arguments.pairs) as listed:
            table_of_pairs(pairs, train, test).to_csv(listed, index=False, float_format="%.4f")
    if output:
        import matplotlib as mpl

        from nearfirst.explore.plot import draw_exploration
        from nearfirst.figures.look import LookSettings
        from nearfirst.figures.plot.save import FONTS

        figure = draw_exploration(table, LookSettings())
        with mpl.rc_context(FONTS), writing(output) as picture:
            suffix = output.suffix.lower()
            figure.savefig(picture, format=suffix[1:], metadata=SUFFIXES[suffix])
    print("\n".join(lines(table)))
