"""Read and embed the user's pool and prompts as the workflow does."""

import argparse
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.embed.kinds.text import Settings as Encoder
from nearfirst.embed.kinds.text import texts_of
from nearfirst.embed.registry import Context
from nearfirst.embed.texts import embedding_counts

if TYPE_CHECKING:
    from nearfirst.data.formats.chat import Settings

FIELDS = {name: field for name, field in Encoder.model_fields.items() if name != "kind"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the data and of the encoder."""
    add = parser.add_argument
    add("pool", type=Path, help="training data: .jsonl(.gz, .zst), .json, .parquet, or a folder")
    add(
        "--for",
        type=Path,
        required=True,
        dest="prompts",
        metavar="PROMPTS",
        help="target of training: examples with their answers, a file or folder like POOL",
    )
    data = parser.add_argument_group("the data")
    data.add_argument(
        "--columns",
        nargs="+",
        type=_parse_column,
        default=[],
        metavar="COLUMN=NAME",
        help="rename columns to the names that are read: question=prompt answer=response",
    )
    data.add_argument("--task-column", metavar="COLUMN", help="column that names a row's task")
    data.add_argument(
        "--unusable",
        choices=["error", "skip"],
        default="error",
        help="rows without a question and its answer: stop with an error (default) or skip them",
    )
    encoder = parser.add_argument_group("the encoder")
    cli.add_fields(encoder, FIELDS)
    encoder.add_argument(
        "--cache",
        type=Path,
        default=Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nearfirst",
        metavar="FOLDER",
        help="cache of embeddings; may be deleted (default: nearfirst in your cache folder)",
    )
    parser.add_argument("--measure", choices=["cosine", "euclidean"], default="cosine")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write progress here")


def check_output(arguments: argparse.Namespace, output: Path) -> None:
    """Raise InputError if an output would replace an input, or be read with it the next time."""
    full = output.resolve()
    for path in (arguments.pool, arguments.prompts):
        inside = full.suffix.lower() in (".jsonl", ".parquet") and path.resolve() in full.parents
        if inside or full == path.resolve():
            raise InputError(f"{output}: would become part of {path}; name a file elsewhere")


def encoder_of(arguments: argparse.Namespace) -> Encoder:
    """Return the settings of the encoder."""
    return Encoder.parse(cli.fields_given(arguments, FIELDS))


def data_of(arguments: argparse.Namespace) -> "Settings":
    """Return the settings of the data."""
    from nearfirst.data.formats.chat import Settings

    row = {
        "path": str(arguments.pool),
        "test_path": str(arguments.prompts),
        "task_column": arguments.task_column,
        "columns": dict(arguments.columns),
        "sample": {"unusable": arguments.unusable},
    }
    return Settings.parse(json.dumps(row))


def read(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Write the instances of the pool (`train.parquet`) and of the prompts (`heldout.parquet`).

    Return the location (file and row) of each usable row of the pool. Raises InputError if a file
    or a row cannot be used.
    """
    from nearfirst.common.parquet import SOURCES, write_rows
    from nearfirst.data import registry
    from nearfirst.data.overlap import Overlap
    from nearfirst.data.sample import inventory, sample, table_row

    settings = data_of(arguments)
    places, overlap = list[str](), Overlap()

    def pool() -> Iterator[dict[str, object]]:
        # Tool turns are left to the trainer that gets the rows.
        for instance in sample(settings, arguments.pool, "train", takes=lambda _: ""):
            places.append(instance.where)
            overlap.add_train(instance)
            yield table_row(instance, keep_row=True)

    def prompts() -> Iterator[dict[str, object]]:
        rows = registry.read(settings, arguments.prompts, test="test")
        inventory(arguments.prompts, rows, settings, logging.WARNING)
        for instance in registry.read(settings, arguments.prompts, test="test"):
            if instance.messages:
                overlap.add_test(instance)
                yield table_row(instance, keep_row=False)

    write_rows(prompts(), SOURCES, folder / "heldout.parquet")
    write_rows(pool(), SOURCES, folder / "train.parquet")
    if warning := overlap.warning():
        logging.warning("%s: %s", arguments.prompts, warning)
    return places


def embed(arguments: argparse.Namespace, folder: Path) -> None:
    """Write `train_embeddings.parquet` and `heldout_embeddings.parquet`; raises as `Cache`."""
    from nearfirst.common.embeddings import write_embeddings
    from nearfirst.data.instances import conversations, read_instances
    from nearfirst.embed.cache import Cache

    settings = encoder_of(arguments)
    cache = Cache(arguments.cache, settings)
    pool, prompts = (read_instances(folder / f"{split}.parquet") for split in ("train", "heldout"))
    sides = (("train", arguments.pool, pool), ("heldout", arguments.prompts, prompts))
    for split, where, table in sides:
        context = Context(split == "heldout", lambda: iter(conversations(pool)))
        texts = list(texts_of(conversations(table), settings, context))
        vectors, cut, limit = cache.embed(texts)
        is_pool = split == "train"
        counts = embedding_counts(
            where, vectors, cut, limit, settings.max_cut_share, is_pool=is_pool
        )
        ids = table["id"].to_pylist()
        write_embeddings(ids, vectors, folder / f"{split}_embeddings.parquet", counts)


def _parse_column(text: str) -> tuple[str, str]:
    column, equals, name = text.partition("=")
    if not (column and equals and name):
        raise argparse.ArgumentTypeError(f"{text!r}: expected COLUMN=NAME, such as question=prompt")
    return column, name
