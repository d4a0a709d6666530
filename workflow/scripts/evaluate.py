"""Loss of every test instance at every checkpoint of a segment."""

import argparse
import logging
import time
from contextlib import closing
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import LOSSES, write_table
from nearfirst.data.instances import read_instances
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the losses; the number of instances left out is in the table's metadata."""
    import torch

    from nearfirst.evaluate.loss import losses
    from nearfirst.model import checkpoints, load, logits
    from nearfirst.model.template import labelled

    settings = cast(EvaluateSettings, arguments.settings)
    torch.set_num_threads(settings.threads)
    dtype = load.dtype("evaluate.precision", settings.precision)
    folders = checkpoints.checkpoints_in(arguments.checkpoints)
    every = read_instances(arguments.instances)
    tokenizer = load.load_tokenizer(arguments.model, arguments.revision)
    template = cast(TemplateSettings, arguments.template)
    max_length = template.max_length
    table, tokens = labelled(every, tokenizer, max_length, template.format)
    if not tokens:
        raise InputError(
            f"{arguments.instances}: no instance has a label within {max_length} tokens; raise "
            "template.max_length"
        )
    left_out = len(every) - len(tokens)
    logging.info("%d instances, %d left out: truncation took their labels", len(tokens), left_out)
    model = load.empty_model(arguments.model, arguments.revision, dtype)
    parts: list[pa.Table] = []
    length = sum(len(item.ids) for item in tokens)
    since = begun = time.monotonic()
    with closing(checkpoints.each_loaded(model, folders)) as loaded:
        for folder in loaded:
            if not parts:
                logits.check(model, tokens)
            loss = losses(model, tokens, settings.batch_tokens)
            if not np.isfinite(loss).all():
                id_ = table["id"][int(np.argmin(np.isfinite(loss)))]
                raise InputError(
                    f"{folder}: the loss of id '{id_}' is not finite: the run diverged; lower "
                    "train.learning_rate"
                )
            step = int(folder.name.removeprefix("step-"))
            columns = {
                "step": [step] * len(tokens),
                "id": table["id"],
                "task": table["task"],
                "loss": loss,
                "label_tokens": [item.label_tokens for item in tokens],
            }
            parts.append(pa.table(columns, schema=LOSSES))
            # Of the time since the checkpoint before, so that what reading cost is in it.
            now = time.monotonic()
            left = (now - since) / len(parts) * (len(folders) - len(parts))
            logging.info(
                "step %d: mean loss %.4f (%.1f s, %.0f tokens/s), %.0f s left",
                *(step, loss.mean(), now - begun, length / (now - begun), left),
            )
            begun = now
    write_table(pa.concat_tables(parts), arguments.output, {"left_out": str(left_out)})


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model, for its shape and its tokenizer")
    add("--revision", help="revision of a Hugging Face id")
    add("--instances", type=Path, required=True, help="test instances (Parquet)")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/model.safetensors")
    add("--output", type=Path, required=True, help="losses to write (Parquet)")
    cli.add_settings(parser, EvaluateSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.run(main, parser.parse_args())
