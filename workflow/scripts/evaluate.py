"""Loss of every test instance at every checkpoint of a segment."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.identity import read_identity, read_run
from nearfirst.common.parquet import write_table
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import tracking
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the losses; their metadata names the run and counts the instances left out."""
    import torch

    from nearfirst.evaluate.losses import evaluate
    from nearfirst.model import checkpoints, load, precision
    from nearfirst.model.template import describe_truncation, read_labelled

    tracking.check_packages(arguments.tracking.report_to)
    settings: EvaluateSettings = arguments.settings
    template: TemplateSettings = arguments.template
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("evaluate.precision", settings.precision)
    folders = checkpoints.checkpoints_in(arguments.checkpoints)
    identity, run = read_identity(arguments.instances), read_run(arguments.checkpoints)
    dataset = arguments.dataset or run.get("dataset", identity.get("dataset"))
    if dataset != identity.get("dataset", dataset):
        identity["test"] = f"{identity['dataset']}.{identity['test']}"
    identity |= run | ({"dataset": dataset} if dataset else {})
    tokenizer = load.load_tokenizer(arguments.model, arguments.revision)
    table, tokens, left_out = read_labelled(arguments.instances, tokenizer, template)
    # Warn once per run, not once per segment.
    level = logging.INFO if checkpoints.step_of(folders[0]) else logging.WARNING
    counts = "%s: %d instances, %d left out: no label within template.max_length"
    logging.log(
        level if left_out else logging.INFO, counts, arguments.instances, len(tokens), left_out
    )
    if truncation := describe_truncation(tokens):
        logging.log(level, "%s: %s", arguments.instances, truncation)
    average = settings.average
    model = load.model_for(folders[0], arguments.model, arguments.revision, dtype, average)
    windows = checkpoints.windows(folders, arguments.before, average)
    with precision.tf32(settings.precision):
        losses = evaluate(
            model, windows, table, tokens, settings.batch_tokens, settings.precision, average
        )
    write_table(losses, arguments.output, {"left_out": str(left_out), **identity})
    test, segment = identity.get("test", "test"), arguments.checkpoints.name
    means = losses.group_by("step").aggregate([("loss", "mean")]).to_pylist()
    tracking.log(
        arguments.tracking.callbacks(test, segment, fresh=True),
        arguments.tracking.folder,
        {row["step"]: {f"eval_{test}_loss": row["loss_mean"]} for row in means},
    )


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model, for its shape and its tokenizer")
    add("--revision", help="revision of a Hugging Face id")
    add("--instances", type=Path, required=True, help="test instances (Parquet)")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/")
    add("--dataset", help="data set of the run, if its checkpoints do not name it")
    add("--before", type=Path, nargs="*", default=[], help="those of earlier segments, in order")
    add("--output", type=Path, required=True, help="losses to write (Parquet)")
    cli.add_settings(parser, EvaluateSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    tracking.add_flag(parser)
    cli.run(main, parser.parse_args())
