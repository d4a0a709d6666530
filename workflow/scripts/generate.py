"""Answers to every test instance at every checkpoint of a segment.

The answers of each checkpoint are kept at once beside the output, so that the job after one that
was killed goes on from there.
"""

import argparse
import hashlib
import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.parquet import write_table
from nearfirst.common.settings import canonical
from nearfirst.common.source_files import library_modules
from nearfirst.data.instances import conversations, read_instances
from nearfirst.generate.resume import Parts, files_of
from nearfirst.generate.settings import GenerateSettings
from nearfirst.generate.table import GENERATIONS
from nearfirst.model.settings import TemplateSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the answers; the number of instances left out is in the table's metadata."""
    import torch

    from nearfirst.generate.answers import check_room
    from nearfirst.model import checkpoints, load, template

    settings = cast(GenerateSettings, arguments.settings)
    torch.set_num_threads(settings.threads)
    dtype = load.dtype("generate.precision", settings.precision)
    folders = checkpoints.checkpoints_in(arguments.checkpoints)
    every = read_instances(arguments.instances)
    tokenizer = load.load_tokenizer(arguments.model, arguments.revision)
    form, max_length = arguments.template.format, arguments.template.max_length
    table, _ = template.labelled(every, tokenizer, max_length, form)
    if not len(table):
        raise InputError(
            f"{arguments.instances}: no prompt leaves room for an answer within {max_length} "
            "tokens; raise template.max_length"
        )
    left_out = len(every) - len(table)
    logging.info("%d instances, %d left out: their prompts are too long", len(table), left_out)
    prompts = template.prompts(conversations(table), tokenizer, form)
    model = load.empty_model(arguments.model, arguments.revision, dtype)
    check_room(model, prompts, settings)

    parts = Parts(arguments.output, GENERATIONS, _made_from(arguments, table, prompts))
    answered = {folder: part for folder in folders if (part := parts.find(folder)) is not None}
    if answered:
        logging.info("%d of %d checkpoints were answered before", len(answered), len(folders))
    todo = [folder for folder in folders if folder not in answered]
    since = time.monotonic()
    for done, folder in enumerate(todo, start=1):
        begun = time.monotonic()
        answered[folder] = _answers(arguments, folder, model, tokenizer, table, prompts)
        parts.keep(folder, answered[folder])
        now = time.monotonic()
        left = (now - since) / done * (len(todo) - done)
        logging.info("%s, %.0f s left", _summary(answered[folder], now - begun), left)
    whole = pa.concat_tables([answered[folder] for folder in folders])
    write_table(whole, arguments.output, {"left_out": str(left_out)})
    parts.remove()


def _answers(
    arguments: argparse.Namespace,
    folder: Path,
    model: Any,
    tokenizer: Any,
    table: pa.Table,
    prompts: Sequence[Any],
) -> pa.Table:
    """Return the answers of the checkpoint in a folder."""
    from nearfirst.generate.answers import generate
    from nearfirst.model import checkpoints, template

    step = int(folder.name.removeprefix("step-"))
    checkpoints.load_weights(model, folder)
    try:
        answers = generate(
            model,
            prompts,
            table["id"].to_pylist(),
            arguments.settings,
            tokenizer,
            step=step,
            run_seed=arguments.seed,
            batch_size=arguments.batch_size,
            ends=template.ends(tokenizer, arguments.template.format),
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
    """Return what the log says of a checkpoint."""
    rows, tokens = answers.num_rows, pc.sum(answers["tokens"]).as_py()
    unfinished = rows - pc.sum(answers["finished"]).as_py()
    empty = pc.sum(pc.equal(answers["prediction"], "")).as_py()
    return (
        f"step {answers['step'][0]}: {tokens / rows:.1f} tokens an answer, {unfinished} "
        f"unfinished, {empty} empty ({seconds:.1f} s, {tokens / seconds:.0f} tokens/s)"
    )


def _made_from(
    arguments: argparse.Namespace, table: pa.Table, prompts: Sequence[Any]
) -> list[object]:
    """Return all that answers depend on, but for the weights."""
    digest = hashlib.sha256(
        canonical([table["id"].to_pylist(), table["task"].to_pylist()]).encode()
    )
    for prompt in prompts:
        digest.update(prompt.tobytes() + b"\n")
    return [
        *(arguments.settings.canonical(), arguments.template.canonical(), arguments.seed),
        *(arguments.model, arguments.revision, files_of(Path(arguments.model))),
        *(_code(), version("torch"), version("transformers")),
        digest.hexdigest(),
    ]


def _code() -> list[str]:
    """Return the sums of this program and of the library it imports: an edit answers anew."""
    program, root = Path(__file__), Path(cli.__file__).parents[2]
    return [sha256(path) for path in (program, *library_modules(program, root))]


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model, for its shape and its tokenizer")
    add("--revision", help="revision of a Hugging Face id")
    add("--instances", type=Path, required=True, help="test instances (Parquet)")
    add("--checkpoints", type=Path, required=True, help="folder with step-*/model.safetensors")
    add("--seed", type=int, required=True, help="seed of the run")
    add("--batch-size", type=cli.positive, default=8, help="it does not change an answer")
    add("--output", type=Path, required=True, help="answers to write (Parquet)")
    cli.add_settings(parser, GenerateSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.run(main, parser.parse_args())
