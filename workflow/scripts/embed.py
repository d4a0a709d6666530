"""Embed the first exchange of every instance, or of one shard of them."""

import argparse
import logging
import re
from pathlib import Path
from typing import cast

import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import embeddings_table, write_table
from nearfirst.data.instances import conversations, instruction_of, read_instances, text_of
from nearfirst.embed.settings import EmbeddingSettings
from nearfirst.embed.texts import check_cut, check_distinct, shared_prefix, shorten


def main(arguments: argparse.Namespace) -> None:
    """Write the embeddings of the shard, in the instances' order."""
    import torch

    from nearfirst.embed import encode

    settings = cast(EmbeddingSettings, arguments.settings)
    torch.set_num_threads(settings.threads)
    table = read_instances(arguments.instances)
    prefix = _prefix(arguments, table) if settings.strip_shared_prefix else ""
    first, last = encode.shard_bounds(table.num_rows, *(arguments.shard or (1, 1)))
    table = table.slice(first, last - first)
    instruction = arguments.query and settings.query_text == "instruction"
    text = instruction_of if instruction else text_of
    texts = [text(messages).removeprefix(prefix) for messages in conversations(table)]
    logging.info("%d texts, less %d characters that all begin with", len(texts), len(prefix))
    encoder = encode.load(settings.model, settings.revision)
    prompt = encode.prompt_of(encoder, settings.prompt, settings.prompt_name)
    texts, cut = shorten(texts, encoder, prompt, settings.keep)
    vectors = encode.embed(texts, encoder, settings.batch_tokens, prompt, settings.dimension)
    embeddings = embeddings_table(table["id"].to_pylist(), vectors)
    identity, limit = read_identity(arguments.instances), encoder.max_seq_length
    if not arguments.shard:  # else only those who gather all shards can judge
        check_cut(arguments.instances, cut, len(texts), limit, settings.max_cut_share)
        check_distinct(arguments.instances, vectors, is_pool=identity.get("test") == "train")
    facts = {"cut": str(cut), "limit": str(limit)}
    write_table(embeddings, arguments.output, identity | facts)


def _prefix(arguments: argparse.Namespace, table: pa.Table) -> str:
    """Return what all training texts begin with."""
    pool = read_instances(arguments.pool) if arguments.pool else table
    return shared_prefix([text_of(messages) for messages in conversations(pool)])


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)-of-(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r}: expected something like 2-of-8")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--instances", type=Path, required=True, help="instances (Parquet)")
    parser.add_argument(
        "--shard", type=_shard, metavar="I-of-N", help="one of several parts; default: all"
    )
    parser.add_argument(
        "--query", action="store_true", help="these are test instances: embed `query_text` of each"
    )
    parser.add_argument(
        "--pool",
        type=Path,
        help="training instances that belong to these test instances, for strip_shared_prefix",
    )
    parser.add_argument("--output", type=Path, required=True, help="embeddings (Parquet)")
    cli.add_settings(parser, EmbeddingSettings)
    cli.run(main, parser.parse_args())
