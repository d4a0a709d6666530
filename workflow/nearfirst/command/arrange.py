r"""Write a pool in training order, each row unchanged.

For instance:
  nearfirst arrange pool.jsonl --for prompts.jsonl --output ordered.jsonl
  nearfirst arrange pool.parquet --for prompts.jsonl --output near_half.parquet \
      --budget 0.5
  nearfirst arrange pool.jsonl --for prompts.jsonl --output mine.jsonl --method my.py:by_length

The order is the one the workflow gives for the same data, encoder and seed. Embeddings are cached:
a second call with other prompts embeds only these.
"""

import argparse
import logging
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt
from pydantic.fields import FieldInfo

from nearfirst.arrange import own_method
from nearfirst.arrange.pool import Arranged
from nearfirst.arrange.registry import METHODS
from nearfirst.arrange.registry import arrange as arrange_pool
from nearfirst.arrange.settings import TRAINING_KEYS, ArrangementSettings
from nearfirst.command import inputs
from nearfirst.common import cli
from nearfirst.common.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

NO_FLAG = TRAINING_KEYS | {"method", "representation", "queries"}
"""Keys shared by all arrangements that have no flag."""
Integers = npt.NDArray[np.int64]


def parameters() -> dict[str, FieldInfo]:
    """Return the fields that methods take, by name; descriptions name the methods that have it."""
    kinds = {name: METHODS.settings(name) for name in METHODS.names()}
    kinds["FILE.py:FUNCTION"] = own_method.Settings
    shared = ArrangementSettings.model_fields
    by_method: dict[str, dict[str, FieldInfo]] = {}
    for method, kind in kinds.items():
        for name, field in kind.model_fields.items():
            if name not in shared:
                by_method.setdefault(name, {})[method] = field
    result = {name: shared[name] for name in shared if name not in NO_FLAG}
    for name, fields in by_method.items():
        # The field with the most choices.
        field = copy(max(fields.values(), key=lambda field: len(get_args(field.annotation))))
        field.description = f"[{', '.join(fields)}] {field.description}"
        result[name] = field
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags, including those for the settings of the methods."""
    inputs.add_arguments(parser)
    add = parser.add_argument
    add("--output", type=Path, required=True, metavar="ORDERED", help="output: .jsonl or .parquet")
    add(
        "--annotate",
        action="store_true",
        help="add to each row its position, TMA round, nearest prompt and the distance to it",
    )
    add("--seed", type=cli.not_negative, default=0, help="seed of the shuffles (default: 0)")
    names = ", ".join(METHODS.names())
    add("--method", default="tma", help=f"{names} or FILE.py:FUNCTION (default: tma)")
    cli.add_fields(parser.add_argument_group("parameters of the method"), parameters())


def run(arguments: argparse.Namespace) -> None:
    """Write the file, completely or not at all."""
    row = cli.fields_given(arguments, parameters())
    settings = METHODS.parse(row, method=arguments.method)
    if "tokens" in settings.all_needs():
        raise InputError(
            "--budget: counting tokens needs a base model, which this command does not load; "
            "give a number of instances or a share"
        )
    output: Path = arguments.output
    if output.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"--output {output}: name it .jsonl or .parquet")
    inputs.check_output(arguments, output)
    from nearfirst.arrange.inputs import read_pool

    with TemporaryDirectory(prefix="nearfirst-") as temporary:
        folder = Path(temporary)
        places = inputs.read(arguments, folder)
        files = {"instances": folder / "train.parquet", "queries": folder / "heldout.parquet"}
        if "embeddings" in settings.all_needs() or arguments.annotate:
            inputs.embed(arguments, folder)
            files["train"] = folder / "train_embeddings.parquet"
            files["test"] = folder / "heldout_embeddings.parquet"
        threads = inputs.encoder_of(arguments).threads
        try:
            ids, pool = read_pool(settings, arguments.measure, threads, **files)
        except InputError as error:  # name the user's file, not its copy
            message = str(error).replace(str(files["instances"]), str(arguments.pool))
            raise InputError(message) from None
        arranged = arrange_pool(pool, settings, arguments.seed)
        _write(arguments, folder, places, arranged)
    logging.info("%s: %d of %d rows", output, len(arranged.order), len(ids))


def _write(
    arguments: argparse.Namespace, folder: Path, places: list[str], arranged: Arranged
) -> None:
    """Write the rows in order, those of Parquet files with their types."""
    import pyarrow as pa

    from nearfirst.arrange import export
    from nearfirst.common.files import writing

    to_parquet, order = arguments.output.suffix.lower() == ".parquet", arranged.order
    if to_parquet and not arguments.annotate and (pool := _open_parquet_pool(arguments, places)):
        batches, rows = pool
        with writing(arguments.output) as output:
            export.write_in_order(batches, rows[order], output)
        return
    batches, added = export.read_pool(folder / "train.parquet"), pa.schema([])
    if arguments.annotate:
        blocks, added = _annotate(arguments, folder, batches, arranged), export.ADDED
    else:
        blocks = export.original_rows(batches, order)
    with writing(arguments.output) as output:
        jsonl = folder / "rows.jsonl" if to_parquet else output
        schema = export.write_jsonl(blocks, jsonl, added)
        if to_parquet:
            export.write_parquet(jsonl, schema, len(order), output)


def _open_parquet_pool(
    arguments: argparse.Namespace, places: list[str]
) -> tuple[list["pa.RecordBatch"], Integers] | None:
    """Return the rows of a pool's Parquet files, and the (N,) indices of the usable ones.

    None if there are other files too, or if columns differ: then only JSON can hold all rows.
    """
    import pyarrow as pa

    from nearfirst.common.on_disk import mapped
    from nearfirst.common.parquet import open_parquet, read_batches
    from nearfirst.data.formats import chat
    from nearfirst.data.readers import parquet

    paths = chat.files(inputs.data_of(arguments), arguments.pool)
    if any(path.suffix.lower() != ".parquet" for path in paths):
        return None
    offsets: dict[Path, int] = {}
    schemas, size = list[pa.Schema](), 0
    for path in paths:
        with open_parquet(path) as file:
            offsets[path], size = size, size + file.metadata.num_rows
            schemas.append(file.schema_arrow)
    if any(schema != schemas[0] for schema in schemas):
        return None

    def batches() -> Iterator[pa.RecordBatch]:
        for path in paths:
            with open_parquet(path) as file:
                yield from read_batches(file)

    rows = np.array([offsets[path] + i for path, i in map(parquet.row_of, places)], np.int64)
    return mapped(batches(), schemas[0]), rows


def _annotate(
    arguments: argparse.Namespace,
    folder: Path,
    batches: list["pa.RecordBatch"],
    arranged: Arranged,
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows with the columns added, as in `results/arranged/`."""
    import pyarrow as pa

    from nearfirst.arrange.export import annotated_rows
    from nearfirst.common.embeddings import read_embeddings
    from nearfirst.distance.distances import BY_ROWS, to_reader_scale
    from nearfirst.distance.neighbours import neighbours

    measure, threads = arguments.measure, inputs.encoder_of(arguments).threads
    _, train = read_embeddings(folder / "train_embeddings.parquet")
    test_ids, test = read_embeddings(folder / "heldout_embeddings.parquet")
    nearest = neighbours(BY_ROWS[measure](train, test), len(train), len(test), threads)
    distances = to_reader_scale(measure, nearest.of_train).astype(np.float32)
    order, rounds = arranged.order, arranged.rounds
    column = pa.array([None] * len(order) if rounds is None else rounds, pa.int32())
    return annotated_rows(
        batches, order, pa.chunked_array([column]), distances, test_ids, nearest.test
    )
