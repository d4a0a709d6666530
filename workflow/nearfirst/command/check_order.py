"""Check whether a trainer saw a pool in order.

For instance:
  nearfirst check-order pool.jsonl --seen seen

`seen` is the folder that a callback wrote during training:
  from nearfirst.seen.log import LogSeen
  trainer.add_callback(LogSeen("seen"))

Exits with 1 at a deviation. The order within a step does not matter: its gradients are summed.
"""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("pool", type=Path, metavar="POOL", help="rows in training order: file or folder")
    add("--seen", type=Path, required=True, metavar="LOG", help="folder or file written by LogSeen")
    add(
        "--tokenizer",
        metavar="MODEL",
        help="folder or Hugging Face id, for a log of `input_ids` instead of `texts`",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the result."""
    from nearfirst.seen.order import check_order

    result = check_order(arguments.pool, arguments.seen, arguments.tokenizer)
    print(result)
    if result.deviation:
        sys.exit(1)
