"""A generation job: answer the test instances with the checkpoints of a segment.

The answers of each checkpoint are kept at once, so that a killed job resumes there.
"""

import logging
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.identity import read_identity, read_run
from nearfirst.common.progress import bar
from nearfirst.generate.answers import check_positions, generate
from nearfirst.generate.table import ANSWERS
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

    ids = table["id"].to_pylist()
    end_tokens = template.end_tokens(tokenizer, args.template.format)

    def answer(todo: list[Sequence[Path]]) -> Iterator[pa.Table]:
        for window in bar(todo, "checkpoints"):
            load_weights(model, *window)
            step = step_of(window[-1])
            try:
                with precision.autocast(args.settings.precision):
                    answers = generate(
                        *(model, prompts, ids, args.settings),
                        step=step,
                        run_seed=args.seed,
                        batch_size=args.batch_size,
                        end_tokens=end_tokens,
                    )
            except InputError as error:
                raise InputError(f"{window[-1]}: {error}") from None
            unfinished = sum(tokens[-1] not in end_tokens for tokens in answers)
            logging.info("step %d: %d answers, %d unfinished", step, len(ids), unfinished)
            texts = tokenizer.batch_decode(
                answers, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
            columns = [[step] * len(ids), ids, table["task"], [text.strip() for text in texts]]
            yield pa.table(columns, schema=ANSWERS)

    # All that answers depend on besides the weights; not the batch size.
    made_from = [
        *(args.settings.canonical(), args.template.canonical(), args.seed, args.average),
        *(fingerprint.folders(args.model), sha256(args.instances)),
        fingerprint.code(Path(__file__)),
    ]
    metadata = {"left_out": str(left_out), **identity}
    steps = windows(folders, args.before, args.average)
    write_by_checkpoint(args.output, steps, answer, made_from, metadata)
