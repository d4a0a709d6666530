"""Evaluate a task of lm-evaluation-harness at every checkpoint of a segment, by document."""

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from nearfirst.common import cli
from nearfirst.common.identity import read_run
from nearfirst.harness.settings import HarnessSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the metrics of each document; the metadata names the run."""
    import torch

    from nearfirst.harness import tasks
    from nearfirst.model import fingerprint, load, precision
    from nearfirst.model.checkpoints import checkpoints_in, windows
    from nearfirst.model.parts import write_by_checkpoint

    settings = cast(HarnessSettings, arguments.settings)
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("harness.precision", settings.precision)
    folders = checkpoints_in(arguments.checkpoints)
    identity = {"dataset": arguments.dataset, "test": arguments.test}
    identity |= read_run(arguments.checkpoints)
    # It logs the same for each checkpoint.
    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    name, average = arguments.task, arguments.average
    group = tasks.load_tasks(name, settings)
    tokenizer = load.load_tokenizer(arguments.model)
    model = load.model_for(folders[0], arguments.model, dtype)

    def metrics(todo: list[Sequence[Path]]) -> Iterator[Any]:
        return tasks.evaluate(model, tokenizer, todo, name, group, settings)

    made_from = [
        *(name, settings.canonical(), average),
        fingerprint.folders(arguments.model, settings.include or ""),
        fingerprint.code(Path(__file__)),
    ]
    write_by_checkpoint(
        *(arguments.output, windows(folders, arguments.before, average), metrics),
        *(made_from, identity),
    )


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--task", required=True, help="task, group or tag of lm_eval or of `include`")
    add("--model", required=True, help="base model, for its architecture and tokenizer")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/")
    add("--average", type=cli.positive, default=1, help="number of checkpoints to average")
    add("--before", type=Path, nargs="*", default=[], help="those of earlier segments, in order")
    add("--dataset", default="", help="data set of the run, to label the table")
    add("--test", default="", help="test set, only to label the table")
    add("--output", type=Path, required=True, help="metrics to write (Parquet)")
    cli.add_settings(parser, HarnessSettings)
    cli.run(main, parser.parse_args())
