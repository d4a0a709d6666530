"""A generation job: answer the test instances with the checkpoints of a segment.

The answers of each checkpoint are kept at once, so that a killed job resumes there.
"""

import logging
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.identity import read_identity, read_run
from nearfirst.generate.answers import Ids, check_positions, generate
from nearfirst.generate.table import GENERATIONS
from nearfirst.model import fingerprint, load, precision, template
from nearfirst.model.checkpoints import checkpoints_in, load_weights, step_of, windows
from nearfirst.model.parts import write_by_checkpoint


def run(args: Namespace) -> None:
    """Write the answers, with the run's identity and the number of instances left out as metadata.

    `args` are the flags of `generate.py`. Raises InputError if a file, a setting or the hardware
    cannot be used, or the run diverged.
    """
    torch.set_num_threads(args.settings.threads)
    dtype = precision.weights_dtype("generate.precision", args.settings.precision)
    folders = checkpoints_in(args.checkpoints)
    identity = read_identity(args.instances) | read_run(args.checkpoints)
    tokenizer = load.load_tokenizer(args.model)
    table, tokens, left_out = template.read_labelled(args.instances, tokenizer, args.template)
    # Warn once per run, not once per segment.
    level = logging.WARNING if left_out and not step_of(folders[0]) else logging.INFO
    logging.log(
        level,
        "%s: %d instances, %d left out: their prompts are too long",
        *(args.instances, len(table), left_out),
    )
    prompts = [item.prompt for item in tokens]
    model = load.model_for(folders[0], args.model, dtype)
    check_positions(model, prompts, args.settings)

    def answer(todo: list[Sequence[Path]]) -> Iterator[pa.Table]:
        job_start = time.monotonic()
        for done, window in enumerate(todo, start=1):
            start = time.monotonic()
            load_weights(model, *window)
            answers = _answer(args, window[-1], model, tokenizer, table, prompts)
            now = time.monotonic()
            left = (now - job_start) / done * (len(todo) - done)
            logging.info("%s, %.0f s left", _summary(answers, now - start), left)
            yield answers

    write_by_checkpoint(
        args.output,
        windows(folders, args.before, args.average),
        answer,
        _made_from(args),
        {"left_out": str(left_out), **identity},
    )


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


def _made_from(args: Namespace) -> list[object]:
    """Return all that answers depend on besides the weights; not the batch size."""
    return [
        *(args.settings.canonical(), args.template.canonical(), args.seed, args.average),
        *(fingerprint.folders(args.model), sha256(args.instances)),
        fingerprint.code(Path(__file__)),
    ]
