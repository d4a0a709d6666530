"""Tasks of lm-evaluation-harness at every checkpoint of a segment, document by document."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.identity import read_run
from nearfirst.common.parquet import write_table
from nearfirst.harness.settings import HarnessSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the values of the documents; the metadata names the run."""
    import torch

    from nearfirst.harness import tasks
    from nearfirst.model import load, precision
    from nearfirst.model.checkpoints import checkpoints_in, windows

    settings = cast(HarnessSettings, arguments.settings)
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("harness.precision", settings.precision)
    folders = checkpoints_in(arguments.checkpoints)
    identity = {"dataset": arguments.dataset, "test": arguments.test}
    identity |= read_run(arguments.checkpoints)
    # What it logs of each checkpoint is the same.
    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    found = tasks.load_tasks(arguments.task, settings)
    tokenizer = load.load_tokenizer(arguments.model, arguments.revision)
    average = arguments.average
    of = windows(folders, arguments.before, average)
    model = load.model_for(folders[0], arguments.model, arguments.revision, dtype, average)
    with precision.tf32(settings.precision):
        table = tasks.evaluate(model, tokenizer, of, arguments.task, found, settings, average)
    write_table(table, arguments.output, identity)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--task", required=True, help="task, group or tag of lm_eval, or of `include`")
    add("--model", required=True, help="base model, for its shape and its tokenizer")
    add("--revision", help="revision of a Hugging Face id")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/")
    add("--average", type=cli.positive, default=1, help="checkpoints whose mean is measured")
    add("--before", type=Path, nargs="*", default=[], help="those of earlier segments, in order")
    add("--dataset", default="", help="data set of the run, to label the table")
    add("--test", default="", help="test set to label it with: the task has its own documents")
    add("--output", type=Path, required=True, help="values to write (Parquet)")
    cli.add_settings(parser, HarnessSettings)
    cli.run(main, parser.parse_args())
