"""Say whether a trainer saw a pool in its order.

For instance:
  nearfirst check-order pool.jsonl --seen seen

`seen` is the folder that a callback wrote while the trainer ran:
  from nearfirst.seen.log import LogSeen
  trainer.add_callback(LogSeen("seen"))

Exits with 1 at a deviation. Within a step the order is of no account: its gradients are summed.
"""

import argparse
import sys
from pathlib import Path


def add_arguments(to: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = to.add_argument
    add("pool", type=Path, metavar="POOL", help="rows in the order of training: file or folder")
    add("--seen", type=Path, required=True, metavar="LOG", help="folder or file of LogSeen")
    add(
        "--tokenizer",
        metavar="MODEL",
        help="folder or Hugging Face id, for a log of `input_ids` in place of `texts`",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print what was found."""
    from nearfirst.seen.order import check_order

    found = check_order(arguments.pool, arguments.seen, arguments.tokenizer)
    print(found)
    if found.deviation:
        sys.exit(1)
