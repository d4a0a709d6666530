r"""Compute a vector for every instance, or for one shard of them.

For instance:
  embed.py --settings '{"kind": "text", "text": "instruction"}' --instances I.parquet \
      --output E.parquet
"""

import argparse
import logging
import re
from functools import partial
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.embeddings import write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.common.files import partial_folder, remove
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import read_ids
from nearfirst.data.instances import read_conversations
from nearfirst.embed.registry import KINDS, Context, Instances, shard_bounds
from nearfirst.embed.settings import RepresentationSettings
from nearfirst.embed.texts import embedding_counts
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the embeddings, in the order of the instances."""
    import torch

    from nearfirst.embed.blocks import keep_in
    from nearfirst.model import fingerprint

    settings = KINDS.parse(arguments.settings, kind="text")
    if settings.uses_base_model and not arguments.model:
        raise InputError("this kind of representation needs --model")
    torch.set_num_threads(settings.threads)
    ids = read_ids(arguments.instances)
    bounds = shard_bounds(len(ids), *(arguments.shard or (1, 1)))
    ids = ids[slice(*bounds)]
    instances = Instances(ids, partial(read_conversations, arguments.instances, bounds))
    pool = partial(read_conversations, arguments.pool or arguments.instances)
    logging.info("%d instances", len(ids))
    folder = partial_folder(arguments.output)
    context = Context(
        *(arguments.query, pool, arguments.model, arguments.template),
        *(tuple(arguments.warm_up), tuple(arguments.rates)),
        keep_in(folder, fingerprint.digest(_made_from(arguments, settings, bounds))),
    )
    vectors, cut, limit = KINDS.module(settings.kind).represent(instances, settings, context)
    identity = read_identity(arguments.instances)
    facts = {"cut": str(cut), "limit": str(limit)}
    if not arguments.shard:  # else `gather_embeddings.py` checks all shards together
        facts = embedding_counts(
            *(arguments.instances, vectors, cut, limit, settings.max_cut_share),
            is_pool=identity.get("test") == "train",
        )
    write_embeddings(ids, vectors, arguments.output, identity | facts)
    remove(folder)


def _made_from(
    arguments: argparse.Namespace, settings: RepresentationSettings, bounds: tuple[int, int]
) -> list[object]:
    """Return all that a block depends on besides its name."""
    from nearfirst.model import fingerprint

    tables = [path.stat() for path in (arguments.instances, arguments.pool) if path]
    models = [getattr(settings, "model", ""), arguments.model, *arguments.warm_up]
    return [
        *(settings.canonical(), arguments.template.canonical(), arguments.query, bounds),
        [[table.st_size, table.st_mtime_ns] for table in tables],
        fingerprint.folders(*map(str, models)),
        *(arguments.rates, fingerprint.code(Path(__file__))),
    ]


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)-of-(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r}: expected something like 2-of-8")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--settings", default="{}", metavar="JSON", help="kind and its settings; default: text")
    add("--instances", type=Path, required=True, help="instances (Parquet)")
    add("--shard", type=_shard, metavar="I-of-N", help="the part to embed; default: all")
    add("--query", action="store_true", help="the instances are test instances, not a pool")
    add("--pool", type=Path, help="the pool of these test instances, for strip_shared_prefix")
    add(
        "--model",
        default="",
        help="base model, for `hidden` and `gradient`: folder or Hugging Face id",
    )
    cli.add_settings(parser, TemplateSettings, "--template")
    add("--warm-up", type=Path, nargs="*", default=[], help="segments of the warm-up run")
    add("--rates", type=float, nargs="*", default=[], help="their mean learning rates")
    add("--output", type=Path, required=True, help="embeddings (Parquet)")
    cli.run(main, parser.parse_args())
