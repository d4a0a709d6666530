r"""Arrange training instances: decide the order in which they are seen.

For instance:
  arrange.py --settings '{"method": "tma", "order": "nearest"}' --train E1.parquet \
      --test E2.parquet --seed 0 --output A.parquet
  arrange.py --settings '{"method": "round-robin"}' --instances I.parquet --output A.parquet

docs/arrangements.md says what each method reads.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import pyarrow as pa

from nearfirst.arrange.inputs import FILES, read_pool
from nearfirst.arrange.registry import METHODS, arrange
from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import ARRANGEMENT, write_table
from nearfirst.distance.distances import BY_ROWS


def main(arguments: argparse.Namespace) -> None:
    """Write the arrangement."""
    settings = METHODS.parse(arguments.settings)
    files = {name: getattr(arguments, name) for name in FILES}
    ids, pool = read_pool(settings, arguments.measure, arguments.threads, **files)
    arranged = arrange(pool, settings, arguments.seed)
    order, rounds = arranged.order, arranged.rounds
    logging.info("%d of %d instances", len(order), pool.size)
    if rounds is not None:
        logging.info("rounds %d to %d", rounds.min(), rounds.max())
        if rounds.max() == 1 and len(order) == pool.size > 1:
            logging.warning(
                "%s: the pool is a single round, so nearest first and farthest first are the same; "
                "a larger pool or fewer test instances give more rounds",
                arguments.name or settings.method,
            )
    table = {
        "position": np.arange(len(order), dtype=np.int32),
        "id": [ids[i] for i in order],
        "round": [None] * len(order) if rounds is None else rounds,
    }
    found = read_identity(arguments.instances or arguments.train)
    if arguments.train:
        found |= read_identity(arguments.train)
    known = ("embedded", "cut", "distinct", "dataset")
    identity = {key: found[key] for key in known if key in found}
    identity |= {"arrangement": arguments.name or settings.method, "seed": str(arguments.seed)}
    identity |= {"pool": str(pool.size)} | ({} if rounds is None else {"rounds": str(rounds.max())})
    write_table(pa.table(table, schema=ARRANGEMENT), arguments.output, identity)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--settings", required=True, metavar="JSON", help="method and its parameters")
    add("--name", help="name of the arrangement in results; default: the method")
    for name, description in FILES.items():
        add(f"--{name}", type=Path, help=description)
    add(
        "--measure", choices=list(BY_ROWS), default="cosine", help="distance, if no matrix is given"
    )
    cli.add_threads(parser)
    add("--seed", type=cli.not_negative, default=0, help="seed of the shuffles")
    add("--output", type=Path, required=True, help="arrangement to write (Parquet)")
    cli.run(main, parser.parse_args())
