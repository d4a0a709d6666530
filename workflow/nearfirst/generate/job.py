"""A generation job: answer the test instances with the checkpoints of a segment.

The answers of each checkpoint are saved beside the output at once, so that a killed job resumes
there.
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


def run(args: Namespace) -> None:
    """Write the answers, with the run's identity and the number of instances left out as metadata.

    `args` are the flags of `generate.py`. Raises InputError if a file, a setting or the hardware
    cannot be used, or the run diverged.
    """
    torch.set_num_threads(args.settings.threads)
    dtype = precision.weights_dtype("generate.precision", args.settings.precision)
    folders = checkpoints_in(args.checkpoints)
    identity = read_identity(args.instances) | read_run(args.checkpoints)
    instances = read_instances(args.instances)
    tokenizer = load.load_tokenizer(args.model, args.revision)
    max_length, form = args.template.max_length, args.template.format
    table, _ = template.keep_labelled(instances, tokenizer, max_length, form)
    if not len(table):
        raise InputError(
            f"{args.instances}: no prompt leaves room for an answer within {max_length} tokens; "
            "raise template.max_length"
        )
    num_left_out = len(instances) - len(table)
    # Warn once per run, not once per segment.
    level = logging.WARNING if num_left_out and not step_of(folders[0]) else logging.INFO
    logging.log(
        level,
        "%s: %d instances, %d left out: their prompts are too long",
        *(args.instances, len(table), num_left_out),
    )
    prompts = template.prompts(conversations(table), tokenizer, form)
    model = load.model_for(folders[0], args.model, args.revision, dtype, args.average)
    check_positions(model, prompts, args.settings)

    parts = Parts(args.output, _made_from(args, table, prompts))
    all_windows = windows(folders, args.before, args.average)
    answers = {w[-1]: part for w in all_windows if (part := parts.find(w)) is not None}
    if answers:
        logging.info("%d of %d checkpoints were answered before", len(answers), len(folders))
    todo = [window for window in all_windows if window[-1] not in answers]
    job_start = time.monotonic()
    for done, window in enumerate(todo, start=1):
        start, folder = time.monotonic(), window[-1]
        load_weights(model, *window, average=args.average)
        answers[folder] = _answer(args, folder, model, tokenizer, table, prompts)
        parts.keep(window, answers[folder])
        now = time.monotonic()
        left = (now - job_start) / done * (len(todo) - done)
        logging.info("%s, %.0f s left", _summary(answers[folder], now - start), left)
    metadata = {"left_out": str(num_left_out), **identity}
    write_table(pa.concat_tables([answers[folder] for folder in folders]), args.output, metadata)
    parts.remove()


def _answer(
    args: Namespace, folder: Path, model: Any, tokenizer: Any, table: pa.Table, prompts: list[Ids]
) -> pa.Table:
    """Return the GENERATIONS of a model that has the weights of a folder's checkpoint."""
    step = step_of(folder)
    try:
        with precision.autocast(args.settings.precision):
            answers = generate(
                model,
                prompts,
                table["id"].to_pylist(),
                args.settings,
                step=step,
                run_seed=args.seed,
                batch_size=args.batch_size,
                end_tokens=template.end_tokens(tokenizer, args.template.format),
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
    """Format the log line of a checkpoint."""
    rows, tokens = answers.num_rows, pc.sum(answers["tokens"]).as_py()
    unfinished = rows - pc.sum(answers["finished"]).as_py()
    empty = pc.sum(pc.equal(answers["prediction"], "")).as_py()
    return (
        f"step {answers['step'][0]}: {tokens / rows:.1f} tokens per answer, {unfinished} "
        f"unfinished, {empty} empty ({seconds:.1f} s, {tokens / seconds:.0f} tokens/s)"
    )


def _made_from(args: Namespace, table: pa.Table, prompts: list[Ids]) -> list[object]:
    """Return all that answers depend on besides the weights; not the batch size."""
    return [
        *(args.settings.canonical(), args.template.canonical(), args.seed, args.average),
        *(args.model, args.revision, fingerprint.files(Path(args.model))),
        *(table["id"].to_pylist(), table["task"].to_pylist()),
        [prompt.tolist() for prompt in prompts],
        fingerprint.code(Path(__file__)),
    ]
