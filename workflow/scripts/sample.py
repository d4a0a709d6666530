"""Split a Flan-mini file by tasks and sample the training and the test instances."""

import argparse
import logging
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import cast

import pyarrow as pa
from tqdm import tqdm

from nearfirst import cli
from nearfirst.data import flan, sampling
from nearfirst.data.conversation import Instance
from nearfirst.settings.data import SampleSettings
from nearfirst.tables import INSTANCES, write_table


def main(arguments: argparse.Namespace) -> None:
    """Read the file twice, so that memory holds the sample and not the data set."""
    settings = cast(SampleSettings, arguments.settings)

    def read() -> Generator[Instance, None, None]:
        yield from tqdm(flan.read(arguments.input), desc="rows", unit="", mininterval=5)

    # Closed also on an error, so that the bar's line is ended before the error's begins.
    with closing(read()) as rows:
        found = sampling.take_inventory(rows, skip_unusable=settings.unusable == "skip")
    logging.info(
        "%d rows, %d tasks; %d rows without a usable exchange, %d turns left out",
        *(found.total, len(found.rows), found.unusable, found.dropped_turns),
    )
    if arguments.key_list:
        train, unseen = sampling.read_key_list(arguments.key_list, found.rows)
    else:
        train, unseen = sampling.split_tasks(found.rows, settings.unseen_tasks, settings.split_seed)
    chosen = sampling.keep(
        read,
        sampling.sample_rows(found.rows, train, settings.train_per_task, settings.train_seed),
        sampling.sample_rows(found.rows, unseen, settings.test_per_task, settings.test_seed),
    )
    split: dict[str, list[dict[str, object]]] = {"train": [], "test": []}
    for part, instance in chosen:
        split[part].append(_row(instance))
    for part, path in (("train", arguments.train), ("test", arguments.test)):
        write_table(pa.Table.from_pylist(split[part], schema=INSTANCES), path)
        tasks = len(train if part == "train" else unseen)
        logging.info("%s: %d instances of %d tasks", part, len(split[part]), tasks)


def _row(instance: Instance) -> dict[str, object]:
    # The first answer is the reference: embedding and generation look at the first exchange.
    return {
        "id": instance.id,
        "task": instance.task,
        "messages": instance.messages,
        "references": [instance.messages[1]["content"]],
    }


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--input", type=Path, required=True, help="flan_mini.json or .json.zip")
    parser.add_argument("--key-list", type=Path, help="split to use; none: a seeded one")
    parser.add_argument("--train", type=Path, required=True, help="instances to write (Parquet)")
    parser.add_argument("--test", type=Path, required=True, help="instances to write (Parquet)")
    cli.add_settings(parser, SampleSettings)
    cli.run(main, parser.parse_args())
