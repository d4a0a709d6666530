"""An evaluation job: the losses of the test instances at the checkpoints of a segment.

The losses of each checkpoint are kept at once, so that a killed job resumes there.
"""

import logging
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from nearfirst.common.files import sha256
from nearfirst.common.identity import read_identity, read_run
from nearfirst.evaluate.losses import evaluate
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import fingerprint, load, precision, tracking
from nearfirst.model.checkpoints import checkpoints_in, step_of, windows
from nearfirst.model.parts import write_by_checkpoint
from nearfirst.model.template import describe_truncation, read_labelled


def run(args: Namespace) -> None:
    """Write the losses; their metadata names the run and counts the instances left out.

    `args` are the flags of `evaluate.py`. Raises InputError if a file, a setting or the hardware
    cannot be used, or the run diverged.
    """
    tracking.check_packages(args.tracking.report_to)
    settings: EvaluateSettings = args.settings
    torch.set_num_threads(settings.threads)
    dtype = precision.weights_dtype("evaluate.precision", settings.precision)
    folders = checkpoints_in(args.checkpoints)
    identity = _identity(args)
    tokenizer = load.load_tokenizer(args.model)
    table, tokens, left_out = read_labelled(args.instances, tokenizer, args.template)
    # Warn once per run, not once per segment.
    level = logging.INFO if step_of(folders[0]) else logging.WARNING
    counts = "%s: %d instances, %d left out: no label within template.max_length"
    logging.log(level if left_out else logging.INFO, counts, args.instances, len(tokens), left_out)
    if truncation := describe_truncation(tokens):
        logging.log(level, "%s: %s", args.instances, truncation)
    model = load.model_for(folders[0], args.model, dtype)

    def losses(todo: list[Sequence[Path]]) -> Iterator[pa.Table]:
        return evaluate(model, todo, table, tokens, settings)

    written = write_by_checkpoint(
        args.output,
        windows(folders, args.before, settings.average),
        losses,
        [
            *(settings.canonical(), args.template.canonical()),
            *(fingerprint.folders(args.model), sha256(args.instances)),
            fingerprint.code(Path(__file__)),
        ],
        {"left_out": str(left_out), **identity},
    )
    means = written.group_by("step").aggregate([("loss", "mean")]).to_pylist()
    test = identity.get("test", "test")
    tracking.log(
        args.tracking.callbacks(test, args.checkpoints.name, fresh=True),
        args.tracking.folder,
        {row["step"]: {f"eval_{test}_loss": row["loss_mean"]} for row in means},
    )


def _identity(args: Namespace) -> dict[str, str]:
    """Return what the losses are of; `test` is DATASET.TEST if it is another data set's."""
    identity, run = read_identity(args.instances), read_run(args.checkpoints)
    dataset = args.dataset or run.get("dataset", identity.get("dataset"))
    if dataset != identity.get("dataset", dataset):
        identity["test"] = f"{identity['dataset']}.{identity['test']}"
    return identity | run | ({"dataset": dataset} if dataset else {})
