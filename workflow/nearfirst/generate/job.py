"""A generation job: the answers of a segment's checkpoints, from files to files.

The answers of each checkpoint are kept at once beside the output: the job after a killed one
resumes from there.
"""

import logging
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from nearfirst.common.errors import InputError
from nearfirst.common.identity import read_identity, read_run
from nearfirst.common.parquet import write_table
from nearfirst.data.instances import conversations, read_instances
from nearfirst.generate.answers import Ids, check_positions, generate
from nearfirst.generate.resume import Parts
from nearfirst.generate.table import GENERATIONS
from nearfirst.model import fingerprint, load, precision, template
from nearfirst.model.checkpoints import checkpoints_in, load_weights, step_of, windows


def run(job: Namespace) -> None:
    """Write the answers; the metadata names the run and counts the instances left out.

    Parameters
    ----------
    job
        The flags of `generate.py`.

    Raises
    ------
    InputError
        If a file, a setting or the hardware cannot be used, or the run diverged.
    """
    torch.set_num_threads(job.settings.threads)
    dtype = precision.weights_dtype("generate.precision", job.settings.precision)
    folders = checkpoints_in(job.checkpoints)
    identity = read_identity(job.instances) | read_run(job.checkpoints)
    every = read_instances(job.instances)
    tokenizer = load.load_tokenizer(job.model, job.revision)
    max_length, form = job.template.max_length, job.template.format
    table, _ = template.labelled(every, tokenizer, max_length, form)
    if not len(table):
        raise InputError(
            f"{job.instances}: no prompt leaves room for an answer within {max_length} tokens; "
            "raise template.max_length"
        )
    left_out = len(every) - len(table)
    # Said once a run, not of each segment.
    level = logging.WARNING if left_out and not step_of(folders[0]) else logging.INFO
    logging.log(
        level,
        "%s: %d instances, %d left out: their prompts are too long",
        *(job.instances, len(table), left_out),
    )
    prompts = template.prompts(conversations(table), tokenizer, form)
    model = load.model_for(folders[0], job.model, job.revision, dtype, job.average)
    check_positions(model, prompts, job.settings)

    parts = Parts(job.output, GENERATIONS, _made_from(job, table, prompts))
    every_window = windows(folders, job.before, job.average)
    found = {w[-1]: part for w in every_window if (part := parts.find(w)) is not None}
    if found:
        logging.info("%d of %d checkpoints were answered before", len(found), len(folders))
    todo = [window for window in every_window if window[-1] not in found]
    since = time.monotonic()
    for done, window in enumerate(todo, start=1):
        begun, folder = time.monotonic(), window[-1]
        load_weights(model, *window, average=job.average)
        found[folder] = _answers(job, folder, model, tokenizer, table, prompts)
        parts.keep(window, found[folder])
        now = time.monotonic()
        left = (now - since) / done * (len(todo) - done)
        logging.info("%s, %.0f s left", _summary(found[folder], now - begun), left)
    answers = pa.concat_tables([found[folder] for folder in folders])
    write_table(answers, job.output, {"left_out": str(left_out), **identity})
    parts.remove()


def _answers(
    job: Namespace, folder: Path, model: Any, tokenizer: Any, table: pa.Table, prompts: list[Ids]
) -> pa.Table:
    """Return the answers of a model with the weights of a folder's checkpoint, or up to it."""
    step = step_of(folder)
    try:
        with precision.autocast(job.settings.precision):
            answers = generate(
                model,
                prompts,
                table["id"].to_pylist(),
                job.settings,
                step=step,
                run_seed=job.seed,
                batch_size=job.batch_size,
                ends=template.ends(tokenizer, job.template.format),
            )
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    columns = {
        "step": [step] * len(answers),
        "id": table["id"],
        "task": table["task"],
        "prediction": [answer.text(tokenizer) for answer in answers],
        "tokens": [len(answer.tokens) for answer in answers],
        "finished": [answer.finished for answer in answers],
    }
    return pa.table(columns, schema=GENERATIONS)


def _summary(answers: pa.Table, seconds: float) -> str:
    """Return the log's line about a checkpoint."""
    rows, tokens = answers.num_rows, pc.sum(answers["tokens"]).as_py()
    unfinished = rows - pc.sum(answers["finished"]).as_py()
    empty = pc.sum(pc.equal(answers["prediction"], "")).as_py()
    return (
        f"step {answers['step'][0]}: {tokens / rows:.1f} tokens an answer, {unfinished} "
        f"unfinished, {empty} empty ({seconds:.1f} s, {tokens / seconds:.0f} tokens/s)"
    )


def _made_from(job: Namespace, table: pa.Table, prompts: list[Ids]) -> list[object]:
    """Return all that answers depend on beside the weights; not the batch size."""
    return [
        *(job.settings.canonical(), job.template.canonical(), job.seed, job.average),
        *(job.model, job.revision, fingerprint.files(Path(job.model))),
        *(table["id"].to_pylist(), table["task"].to_pylist()),
        [prompt.tolist() for prompt in prompts],
        fingerprint.code(Path(__file__)),
    ]
