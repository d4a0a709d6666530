"""Count the tokens of training instances after template, tokenizer and truncation."""

import argparse
from pathlib import Path

import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.parquet import TOKENS, read_ids, write_table
from nearfirst.data.instances import read_conversations
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the counts."""
    from nearfirst.model import load, template

    settings = arguments.settings
    ids = read_ids(arguments.instances)
    tokenizer = load.load_tokenizer(arguments.model)
    encoded = template.encode(
        read_conversations(arguments.instances), tokenizer, settings.max_length, settings.format
    )
    table = pa.table([ids, [len(tokens.ids) for tokens in encoded]], schema=TOKENS)
    write_table(table, arguments.output)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--model", required=True, help="base model, for its tokenizer: folder or Hugging Face id")
    add("--output", type=Path, required=True, help="counts to write (Parquet)")
    cli.add_settings(parser, TemplateSettings)
    cli.run(main, parser.parse_args())
