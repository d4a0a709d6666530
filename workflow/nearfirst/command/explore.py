"""Measure how near a pool is to prompts, and plot it.

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

FIELDS = {
    name: field
    for name, field in ExplorationSettings.model_fields.items()
    if name != "representation"
}
SUFFIXES = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}
"""Formats of the picture, with the metadata to omit so that equal data give equal bytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags, including those for the settings of the comparison."""
    inputs.add_arguments(parser)
    add = parser.add_argument
    add("--output", type=Path, metavar="PICTURE", help="picture to write: .pdf, .svg or .png")
    add(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="list of near-duplicates and leaks to write (CSV)",
    )
    group = parser.add_argument_group("the comparison")
    cli.add_fields(group, FIELDS)


def run(arguments: argparse.Namespace) -> None:
    """Print ten lines; write the picture and the list of pairs if requested."""
    settings = ExplorationSettings.parse(cli.fields_given(arguments, FIELDS))
    output = arguments.output
    if output and output.suffix.lower() not in SUFFIXES:
        raise InputError(f"--output {output}: name it .pdf, .svg or .png")
    for path in filter(None, (output, arguments.pairs)):
        inputs.check_output(arguments, path)
    from nearfirst.common.files import writing
    from nearfirst.distance.side import read_sides
    from nearfirst.explore.duplicates import duplicates_of
    from nearfirst.explore.lines import lines
    from nearfirst.explore.table import numbers, table_of, table_of_pairs

    threads = inputs.encoder_of(arguments).threads
    with TemporaryDirectory(prefix="nearfirst-") as temporary:
        folder = Path(temporary)
        inputs.read(arguments, folder)
        inputs.embed(arguments, folder)
        pool, prompts = folder / "train.parquet", folder / "heldout.parquet"
        embeddings = folder / "train_embeddings.parquet", folder / "heldout_embeddings.parquet"
        train, test = read_sides(pool, embeddings[0], prompts, embeddings[1])
        pairs = duplicates_of(train, test, pool, prompts, settings)
        rows = numbers(train, test, pairs, arguments.measure, settings, threads)
        table = table_of(rows, arguments.measure)
    if arguments.pairs:
        with writing(arguments.pairs) as path:
            table_of_pairs(pairs, train, test).to_csv(path, index=False, float_format="%.4f")
    if output:
        from nearfirst.explore.plot import draw_exploration
        from nearfirst.figures.look import LookSettings
        from nearfirst.figures.plot.save import saving

        figure = draw_exploration(table, LookSettings())
        with saving(figure), writing(output) as picture:
            suffix = output.suffix.lower()
            figure.savefig(picture, format=suffix[1:], metadata=SUFFIXES[suffix])
    print("\n".join(lines(table)))
