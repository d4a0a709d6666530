"""A training job: one segment, from files to files. Torch is imported once the GPUs are chosen."""

import logging
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.files import explain_full_disk, partial_folder, remove
from nearfirst.common.identity import read_identity, write_run
from nearfirst.common.parquet import read_ids
from nearfirst.data.instances import read_conversations, rows_in_order
from nearfirst.memory import Shape, Training, check_fits
from nearfirst.model.visible_gpus import keep_one_gpu
from nearfirst.train import torchrun
from nearfirst.train.lock import locked


def run(job: Namespace) -> None:
    """Train the segment unless it exists already; one job at a time.

    `job` holds the flags of `train.py`. Raises InputError if a file, a setting or the hardware
    cannot be used; StoppedError after a SIGTERM: the same job resumes from the saved state.
    """
    work = partial_folder(job.checkpoints)
    if "RANK" in os.environ:  # a process started by `_launch`: `cli.run` drops any other
        torchrun.end_with_launcher()
        _train(job, work)
        return
    with locked(work.with_suffix(".lock")):
        if job.hardware.is_sharded():
            _launch(job, work)
        else:
            keep_one_gpu()
            _train(job, work)


def _launch(job: Namespace, work: Path) -> None:
    """Train in one process per GPU: FSDP needs this even for a single GPU."""
    from nearfirst.model.device import check_count

    check_count(job.hardware.gpus)
    work.mkdir(parents=True, exist_ok=True)
    try:
        torchrun.launch(job.hardware.gpus)
    except torchrun.StoppedError:
        if work.exists():
            raise
        # The first process removes the folder at the very end: the segment is done.
    except InputError as error:
        raise InputError(f"{error}; see {job.log}" if job.log else str(error)) from error


def _train(job: Namespace, work: Path) -> None:
    import torch

    from nearfirst.model import adapter, check, device, load, template, tracking
    from nearfirst.train import batches, resume, segment
    from nearfirst.train.checksums import read_checksums

    settings = job.settings
    tracking.check_packages(job.tracking.report_to)
    torch.set_num_threads(settings.threads)
    device.device()  # fail on an unusable GPU before reading data and model
    tokenizer = load.load_tokenizer(job.model)
    order = rows_in_order(job.arrangement, read_ids(job.instances), job.instances)
    used = batches.steps_of_epoch(len(order), settings) * settings.batch_size
    if used < len(order):
        # They differ between arrangements, which then do not train on the same set.
        unused = len(order) - used
        logging.warning("%d instances at the end of the arrangement are not trained on", unused)
    tokens = _tokens_in_order(job, tokenizer, order[:used])
    steps = batches.run_steps(tokens, settings, job.seed)
    batches.check_steps(steps, settings)
    stop = len(steps) if job.stop == "end" else min(int(job.stop), len(steps))
    without_label = sum(item.label_tokens == 0 for item in tokens)
    if not job.state_before and (truncation := template.describe_truncation(tokens)):
        logging.warning("%s: %s", job.instances, truncation)

    origin = [str(part) for part in (job.model, job.state_before) if part]
    run = resume.run_fingerprint(settings, steps, origin, sharded=job.hardware.is_sharded())
    first = os.environ.get("RANK", "0") == "0"
    if resume.finished(job.state, job.checkpoints, run, stop):
        logging.info("%s is complete and from this run: nothing to do", job.checkpoints)
    else:
        model = load.load_model(job.model)
        check.check_model(model, tokens)
        if settings.adapter:
            adapter.add_adapter(model, settings.adapter)
        _check_memory(model, tokens, job)
        with (
            explain_full_disk(work, "training resumes from its last state"),
            device.deterministic(settings.deterministic),
        ):
            checkpoints, state = segment.train_segment(
                model,
                tokenizer,
                steps,
                settings,
                job.hardware,
                stop=stop,
                before=job.state_before,
                work=work,
                run=run,
                tracking=job.tracking,
            )
            if first:
                state_facts = read_checksums(state) or {}
                facts = read_identity(job.instances) | read_identity(job.arrangement)
                facts |= {
                    "trained": str(len(tokens)),
                    "tokens": str(sum(len(item.ids) for step in steps for item in step)),
                    "without_label": str(without_label),
                    "content": batches.content(steps, settings),
                }
                if settings.precision == "float16":
                    facts["skipped_steps"] = str(state_facts["skipped_steps"])
                write_run(checkpoints, facts, state_facts["weights"])
                _move(state, job.state)
                _move(checkpoints, job.checkpoints)
    if first:
        remove(work)


def _check_memory(model: Any, tokens: list[Any], job: Namespace) -> None:
    """Raise InputError if the GPU is too small for the model, before any training."""
    import torch

    if not torch.cuda.is_available():
        return
    config = model.config.get_text_config()
    sizes = (getattr(config, key, 0) for key in ("hidden_size", "num_hidden_layers", "vocab_size"))
    longest = max(len(item.ids) for item in tokens)
    training = Training(
        job.settings.precision,
        min(job.settings.micro_batch_tokens, job.settings.batch_size * longest),
        job.hardware.gpus,
        job.hardware.offload,
        job.hardware.recompute_activations,
        sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
    )
    card = torch.cuda.get_device_properties(0).total_memory
    check_fits(Shape(model.num_parameters(), *sizes), training, card)


def _tokens_in_order(job: Namespace, tokenizer: Any, order: list[int]) -> list[Any]:
    """Return the tokens of rows of the pool in this order; other rows are not tokenized."""
    from nearfirst.model import template

    rows = set(order)
    talks = enumerate(read_conversations(job.instances, (0, max(order) + 1)))
    tokens = template.encode(
        (talk for row, talk in talks if row in rows),
        *(tokenizer, job.template.max_length, job.template.format),
    )
    of_row = dict(zip(sorted(order), tokens, strict=True))
    return [of_row[row] for row in order]


def _move(source: Path, target: Path) -> None:
    remove(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
