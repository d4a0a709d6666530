"""Write an ordinary model folder from a quantized GGUF file."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.model.visible_gpus import keep_one_gpu


def main(arguments: argparse.Namespace) -> None:
    """Write the model folder."""
    keep_one_gpu()
    from nearfirst.model.dequantize import dequantize

    dequantize(arguments.input, arguments.output)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder that holds the GGUF file")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    cli.run(main, parser.parse_args())
