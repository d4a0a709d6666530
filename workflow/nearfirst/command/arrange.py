r"""Write a pool in the order to train on, each row as it was.

For instance:
  nearfirst arrange pool.jsonl --for prompts.jsonl --output ordered.jsonl
  nearfirst arrange pool.parquet --for prompts.jsonl --output near_half.parquet \
      --budget 0.5
  nearfirst arrange pool.jsonl --for prompts.jsonl --output mine.jsonl --method my.py:by_length

The order is that of the workflow for the same data, encoder and seed. Embeddings are kept: a second
call with other prompts embeds these alone.
"""

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from nearfirst.arrange import own_method
from nearfirst.arrange.pool import Arranged
from nearfirst.arrange.registry import METHODS
from nearfirst.arrange.registry import arrange as order_of
from nearfirst.arrange.settings import OF_TRAINING, ArrangementSettings
from nearfirst.command import inputs
from nearfirst.common import cli
from nearfirst.common.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

NOT_HERE = OF_TRAINING | {"method", "representation", "queries"}
"""Keys of all arrangements that are no flags."""
INSTANCES = {"instances": "train", "queries": "heldout"}
Integers = npt.NDArray[np.int64]


def parameters() -> dict[str, tuple[Any, str]]:
    """Return what methods take: name to the field's description, and the methods that have it."""
    kinds = {name: METHODS.settings(name) for name in METHODS.names()}
    kinds["FILE.py:FUNCTION"] = own_method.Settings
    shared = ArrangementSettings.model_fields
    found: dict[str, list[tuple[str, Any]]] = {}
    for method, kind in kinds.items():
        for name, field in kind.model_fields.items():
            if name not in shared:
                found.setdefault(name, []).append((method, field))
    of_all = {name: (shared[name], "") for name in shared if name not in NOT_HERE}
    return of_all | {
        # The values of the method that takes the most.
        name: (
            max((field for _, field in its), key=lambda field: len(get_args(field.annotation))),
            ", ".join(method for method, _ in its),
        )
        for name, its in found.items()
    }


def add_arguments(to: argparse.ArgumentParser) -> None:
    """Add the flags; those of the methods come from their settings."""
    inputs.add_arguments(to)
    add = to.add_argument
    add("--output", type=Path, required=True, metavar="ORDERED", help="file to write: .jsonl or "
        ".parquet")  # fmt: skip
    add("--annotate", action="store_true", help="add to each row its position, TMA round, distance "
        "to the nearest prompt and the id of that one")  # fmt: skip
    add("--seed", type=cli.not_negative, default=0, help="seed of the shuffles (default: 0)")
    known = ", ".join(METHODS.names())
    add("--method", default="tma", help=f"{known} or FILE.py:FUNCTION (default: tma)")
    cli.add_fields(to.add_argument_group("parameters of the method"), parameters())


def run(arguments: argparse.Namespace) -> None:
    """Write the file, whole or not at all."""
    row = json.loads(cli.fields_given(arguments, parameters()))
    settings = METHODS.parse(json.dumps({"method": arguments.method, **row}))
    if "tokens" in settings.looks_at():
        raise InputError(
            "--budget: tokens are those of a base model, which this command does not read; give a "
            "number of instances or a share"
        )
    output: Path = arguments.output
    if output.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"--output {output}: name it .jsonl or .parquet")
    from nearfirst.arrange.inputs import read_pool

    with TemporaryDirectory(prefix="nearfirst-") as folder:
        tables, places = inputs.read(arguments, Path(folder))
        files = {name: tables.instances(split) for name, split in INSTANCES.items()}
        if settings.looks_at() & {"queries", "query_tasks"}:
            files["queries"] = tables.instances("heldout")
        if "embeddings" in settings.looks_at() or arguments.annotate:
            inputs.embed(arguments, tables)
            files |= {"train": tables.embeddings("train"), "test": tables.embeddings("heldout")}
        threads = inputs.encoder_of(arguments).threads
        ids, pool = read_pool(settings, arguments.measure, threads, **files)
        arranged = order_of(pool, settings, arguments.seed)
        _write(arguments, tables, places, arranged)
    logging.info("%s: %d of %d rows", output, len(arranged.order), len(ids))


def _write(
    arguments: argparse.Namespace, tables: inputs.Tables, places: list[str], arranged: Arranged
) -> None:
    """Write the rows in their order: those of Parquet with their types, others as JSON has them."""
    import pyarrow as pa

    from nearfirst.arrange import export
    from nearfirst.common.files import writing
    from nearfirst.common.parquet import BATCH
    from nearfirst.common.progress import bar

    to_parquet, order = arguments.output.suffix.lower() == ".parquet", arranged.order
    if to_parquet and not arguments.annotate and (pieces := _pieces(arguments, places)):
        batches, rows = pieces
        with writing(arguments.output) as output:
            export.write_taken(batches, rows[order], output)
        return
    batches, added = export.read_pool(tables.instances("train")), pa.schema([])
    if arguments.annotate:
        found, added = _annotated(arguments, tables, batches, arranged), export.ADDED
    else:
        found = export.as_read(batches, order)
    shown = bar(found, f"{BATCH} rows", -(-len(order) // BATCH))
    with writing(arguments.output) as output:
        jsonl = tables.folder / "rows.jsonl" if to_parquet else output
        schema = export.write_jsonl(shown, jsonl, added)
        if to_parquet:
            export.write_parquet(jsonl, schema, len(order), output)


def _pieces(
    arguments: argparse.Namespace, places: list[str]
) -> tuple[list["pa.RecordBatch"], Integers] | None:
    """Return the Parquet files of a pool, and the rows in them of its (N,) usable ones.

    None if there are others too, or their columns differ: then only JSON holds them all.
    """
    import pyarrow as pa

    from nearfirst.common.on_disk import mapped
    from nearfirst.common.parquet import BATCH, open_parquet
    from nearfirst.data.formats import chat
    from nearfirst.data.readers import parquet

    paths = chat.files(inputs.data_of(arguments), arguments.pool)
    if any(path.suffix.lower() != ".parquet" for path in paths):
        return None
    first: dict[Path, int] = {}
    schemas, size = list[pa.Schema](), 0
    for path in paths:
        with open_parquet(path) as file:
            first[path], size = size, size + file.metadata.num_rows
            schemas.append(file.schema_arrow)
    if any(schema != schemas[0] for schema in schemas):
        return None

    def batches() -> Iterator[pa.RecordBatch]:
        for path in paths:
            with open_parquet(path) as file:
                yield from file.iter_batches(BATCH)

    found = map(parquet.row_of, places)
    rows = np.array([first[path] + row for path, row in found], dtype=np.int64)
    return mapped(batches(), schemas[0]), rows


def _annotated(
    arguments: argparse.Namespace,
    tables: inputs.Tables,
    batches: list["pa.RecordBatch"],
    arranged: Arranged,
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows as `results/arranged/` has them."""
    import pyarrow as pa

    from nearfirst.arrange.export import in_order
    from nearfirst.common.parquet import read_embeddings
    from nearfirst.distance.distances import BY_ROWS, shown
    from nearfirst.distance.neighbours import neighbours

    measure, threads = arguments.measure, inputs.encoder_of(arguments).threads
    _, train = read_embeddings(tables.embeddings("train"))
    tests, test = read_embeddings(tables.embeddings("heldout"))
    near = neighbours(BY_ROWS[measure](train, test), len(train), len(test), threads)
    distances = shown(measure, near.of_train).astype(np.float32)
    nothing = [None] * len(arranged.order)
    rounds = pa.array(nothing if arranged.rounds is None else arranged.rounds, pa.int32())
    return in_order(
        batches, arranged.order, pa.chunked_array([rounds]), distances, tests, near.test
    )
