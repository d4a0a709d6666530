"""Tune a base model on instances in the given order, and keep a checkpoint every so many steps.

One call trains one segment of a run. With several GPUs it starts a process for each.
"""

import argparse
import logging
import os
import shutil
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import remove, told_if_full
from nearfirst.data.conversation import Message
from nearfirst.data.instances import conversations, read_instances, rows_in_order
from nearfirst.hardware import TrainHardware
from nearfirst.model.settings import TemplateSettings
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.train import torchrun
from nearfirst.train.lock import alone
from nearfirst.train.resume import finished, identity, last_state, step_of
from nearfirst.train.settings import TrainSettings
from nearfirst.train.sigterm import StoppedError, saved_text


def main(arguments: argparse.Namespace) -> None:
    """Train, then move checkpoints and state to their places."""
    hardware = cast(TrainHardware, arguments.hardware)
    # A folder beside the output, so that it survives when a failed job's outputs are removed.
    work = arguments.checkpoints.with_name(f"{arguments.checkpoints.name}.partial")
    if "RANK" in os.environ:
        torchrun.end_with_launcher()
        _train(arguments, work)
        return
    with alone(work.with_suffix(".lock")):
        if hardware.gpus == 1:
            keep_one_gpu()
            _train(arguments, work)
        else:
            _launch(arguments, work)


def _launch(arguments: argparse.Namespace, work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    try:
        torchrun.launch(arguments.hardware.gpus)
    except StoppedError:
        if not work.exists():
            return  # the first process removes it as its last act: all was done already
        state = last_state(work)
        if state is None:
            raise
        raise StoppedError(saved_text(step_of(state))) from None
    except InputError as error:
        where = f"; see {arguments.log}" if arguments.log else ""
        raise InputError(f"{error}{where}") from error


def _train(arguments: argparse.Namespace, work: Path) -> None:
    import torch

    from nearfirst.model import load, logits, template
    from nearfirst.train import batches, segment

    settings = cast(TrainSettings, arguments.settings)
    torch.set_num_threads(settings.threads)
    # The same bytes on every run: on a GPU cuBLAS needs a fixed workspace for that.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)

    tokenizer = load.load_tokenizer(arguments.model, arguments.revision)
    messages = _arranged(arguments.arrangement, arguments.instances)
    its = cast(TemplateSettings, arguments.template)
    tokens = template.encode(messages, tokenizer, its.max_length, its.format)
    total = batches.total_steps(len(tokens), settings)
    unseen = len(tokens) - total * settings.batch_size
    if unseen > 0:
        # Which ones differs between arrangements: they no longer hold the same set.
        logging.warning("%d instances at the end of the arrangement are not trained on", unseen)
    tokens = tokens[: total * settings.batch_size]
    logging.info(
        "%d instances, %d without a label left by truncation",
        *(len(tokens), batches.check_labels(tokens, settings)),
    )

    origin = [str(x) for x in (arguments.model, arguments.revision, arguments.state_before) if x]
    run = identity(settings, tokens, origin, sharded=arguments.hardware.gpus > 1)
    stop = batches.last_step(len(tokens), settings, arguments.stop)
    first = int(os.environ.get("RANK", "0")) == 0
    if finished(arguments.state, arguments.checkpoints, run, stop):
        logging.info("%s is there, whole and of this run: nothing to do", arguments.checkpoints)
    else:
        model = load.load_model(arguments.model, arguments.revision)
        logits.check(model, tokens)
        with told_if_full(work, "training goes on from its last state"):
            checkpoints, state = segment.train_segment(
                model,
                tokens,
                settings,
                arguments.hardware,
                start=arguments.start,
                stop=stop,
                before=arguments.state_before,
                work=work,
                run=run,
            )
        if first:
            for source, target in ((state, arguments.state), (checkpoints, arguments.checkpoints)):
                shutil.rmtree(target, ignore_errors=True)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
    if first:
        remove(work)


def _arranged(arrangement: Path, instances: Path) -> list[list[Message]]:
    table = read_instances(instances)
    messages = conversations(table)
    rows = rows_in_order(arrangement, table["id"].to_pylist(), instances)
    return [messages[row] for row in rows]


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model: folder or Hugging Face id")
    add("--revision", help="revision of a Hugging Face id")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--arrangement", type=Path, required=True, help="their order (Parquet)")
    add("--start", type=int, default=0, help="the segment begins after this step")
    add("--stop", type=int, help="last step of the segment; none: the end of the run")
    add("--state-before", type=Path, help="state at --start, written by the segment before")
    add("--checkpoints", type=Path, required=True, help="folder of checkpoints to write")
    add("--state", type=Path, required=True, help="folder of the resumable state to write")
    cli.add_settings(parser, TrainSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.add_settings(parser, TrainHardware, "--hardware")
    cli.run(main, parser.parse_args())
