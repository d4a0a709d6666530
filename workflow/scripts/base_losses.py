"""Loss of the base model on every training instance, for arrangements by loss."""

import argparse
import logging
from pathlib import Path

import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import LOSSES, write_table
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the losses as step 0, without instances that truncation left without a label."""
    import torch

    from nearfirst.evaluate.losses import losses
    from nearfirst.model import check, device, load, precision
    from nearfirst.model.template import read_labelled

    settings: EvaluateSettings = arguments.settings
    template: TemplateSettings = arguments.template
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("evaluate.precision", settings.precision)
    tokenizer = load.load_tokenizer(arguments.model)
    table, tokens, left_out = read_labelled(arguments.instances, tokenizer, template)
    logging.info("%d instances, %d without a label", len(tokens), left_out)
    model = load.convert_weights(load.load_model(arguments.model), dtype)
    check.check_model(model.to(device.device()).eval(), tokens)
    with precision.tf32(settings.precision), precision.autocast(settings.precision):
        loss = losses(model, tokens, settings.batch_tokens)
    labels = [item.label_tokens for item in tokens]
    columns = [[0] * len(tokens), table["id"], table["task"], loss, labels]
    identity = read_identity(arguments.instances)
    write_table(pa.table(columns, schema=LOSSES), arguments.output, identity)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--output", type=Path, required=True, help="losses to write (Parquet)")
    cli.add_settings(parser, EvaluateSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.run(main, parser.parse_args())
