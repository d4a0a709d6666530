"""Train a byte-level BPE tokenizer and a small Llama from scratch on raw text."""

import argparse
import json
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing_folder
from nearfirst.model.settings import PretrainSettings
from nearfirst.model.visible_gpus import keep_one_gpu


def main(arguments: argparse.Namespace) -> None:
    """Write the model folder."""
    keep_one_gpu()
    from nearfirst.model.pretrain import pretrain

    documents = [json.loads(line) for line in arguments.text.read_text().splitlines()]
    with writing_folder(arguments.output) as folder:
        settings: PretrainSettings = arguments.settings
        seed = settings.seed + arguments.seed
        pretrain(documents, settings.model_copy(update={"seed": seed}), folder)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--text", type=Path, required=True, help="documents, a JSON string a line")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the runs that start from it; added to `seed`"
    )
    cli.add_settings(parser, PretrainSettings)
    cli.run(main, parser.parse_args())
