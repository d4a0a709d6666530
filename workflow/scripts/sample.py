r"""Split a data set and sample its training instances or one test set.

For instance:
  sample.py --settings '{"format": "flan"}' --input flan_mini.json.zip --split train \
      --output train.parquet
"""

import argparse
import logging
from functools import cache
from pathlib import Path
from typing import get_args

from nearfirst.common import cli
from nearfirst.common.parquet import SOURCES, write_rows
from nearfirst.data import sample
from nearfirst.data.registry import FORMATS
from nearfirst.data.settings import HeldOut
from nearfirst.model.chat_template import refusal
from nearfirst.model.tokenizer import load_tokenizer


def main(arguments: argparse.Namespace) -> None:
    """Write the table."""
    instances = sample.sample(
        FORMATS.parse(arguments.settings, path=str(arguments.input)),
        arguments.input,
        arguments.split,
        holds_out=arguments.hold_out,
        test_path=arguments.test_input,
        key_list=arguments.key_list,
        tokenizer=arguments.tokenizer,
        takes=_use_template(arguments.tokenizer) if arguments.tokenizer else sample.takes_no_tools,
        apart_from=arguments.apart_from,
    )
    keep_row = arguments.split == "train"
    rows = (sample.table_row(instance, keep_row=keep_row) for instance in instances)
    identity = {"dataset": arguments.dataset, "test": arguments.split}
    schema = SOURCES.with_metadata({key: name for key, name in identity.items() if name})
    logging.info("%s: %d instances", arguments.split, write_rows(rows, schema, arguments.output))


def _use_template(model: Path) -> sample.Takes:
    load = cache(load_tokenizer)  # Loading is slow, and few data sets have tool turns.
    return lambda messages: refusal(messages, load(str(model), "model.name"))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--dataset", metavar="NAME", help="name of the data set, stored in the table")
    add(
        "--settings",
        required=True,
        metavar="JSON",
        help="the data set's row of `data` in the config: format, sample, … (docs/config.md)",
    )
    add("--input", type=Path, required=True, help="the published file or folder, or your own")
    add("--key-list", type=Path, help="lists of training and unseen tasks (JSON)")
    add("--tokenizer", type=Path, help="folder of the base model (niv2; chat, to "
        "keep tool turns that its chat template supports)")  # fmt: skip
    add("--test-input", type=Path, help="separate test set or queries (chat)")
    add(
        "--hold-out",
        choices=get_args(HeldOut),
        help="what to hold out as the test set (default: as in the settings)",
    )
    add("--split", required=True, help="train, query, specialist-SEED, generalist-SEED or heldout")
    add("--apart-from", metavar="SPLIT", help="split that must have different instances")
    add("--output", type=Path, required=True, help="instances to write (Parquet)")
    cli.run(main, parser.parse_args())
