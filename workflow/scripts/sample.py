r"""Split a data set in its published form and sample one part of it: training or test instances.

For instance:
  sample.py --dataset '{"form": "flan"}' --input flan_mini.json.zip --split train \
      --output train.parquet
"""

import argparse
import logging
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError
from tqdm import tqdm

from nearfirst import cli
from nearfirst.data import forms, sampling
from nearfirst.data.conversation import Instance
from nearfirst.errors import InputError
from nearfirst.settings.data import AnyDataset, DialogueSampleSettings
from nearfirst.tables import SOURCES, write_table


def main(arguments: argparse.Namespace) -> None:
    """Read the data twice, so that memory holds the sample and not the data set."""
    dataset: AnyDataset = arguments.dataset
    fits = _fits(arguments.tokenizer, dataset)

    def read() -> Generator[Instance, None, None]:
        rows = forms.read(dataset, arguments.input, fits)
        yield from tqdm(rows, desc="rows", unit="", mininterval=5)

    # Closed also on an error, so that the bar's line is ended before the error's begins.
    with closing(read()) as rows:
        found = sampling.take_inventory(rows, skip_unusable=dataset.sample.unusable == "skip")
    logging.info(
        "%d rows, %d tasks; %d rows without a usable exchange, %d turns left out",
        *(found.total, len(found.rows), found.unusable, found.dropped_turns),
    )
    if not found.rows:
        raise InputError(
            f"{arguments.input}: of {found.total} rows none has a question with an answer"
        )
    chosen = _choose(found, dataset, arguments.split, arguments.key_list)
    kept = [_row(instance) for number, instance in enumerate(read()) if number in chosen]
    write_table(pa.Table.from_pylist(kept, schema=SOURCES), arguments.output)
    tasks = len({row["task"] for row in kept})
    logging.info("%s: %d instances of %d tasks", arguments.split, len(kept), tasks)


def _choose(
    found: sampling.Inventory, dataset: AnyDataset, split: str, key_list: Path | None
) -> set[int]:
    """Return the row numbers of a split."""
    settings = dataset.sample
    kind, _, seed = split.partition("-")
    if isinstance(settings, DialogueSampleSettings):
        train, test = sampling.hold_out(found, settings.held_out, settings.split_seed)
        parts = {"train": train, "heldout": test}
        if split not in parts:
            raise InputError(f"--split {split}: dialogues are split into {' and '.join(parts)}")
        return parts[split]
    train_tasks, unseen = sampling.split(found, settings, key_list)
    tested = dataset.prompt.eval_instances if dataset.form == "niv2" else None
    rows = {task: found.rows[task][:tested] for task in unseen}
    if split == "train":
        most, train_seed = settings.train_per_task, settings.train_seed
        return sampling.sample_rows(found.rows, train_tasks, most, train_seed)
    if kind == "specialist" and seed.isdecimal():
        most = settings.specialist_per_task
        return sampling.sample_rows(rows, unseen, most, int(seed))
    if kind == "generalist" and seed.isdecimal():
        return sampling.sample_over_tasks(rows, unseen, settings.generalist, int(seed))
    raise InputError(f"--split {split}: expected train, specialist-SEED or generalist-SEED")


def _fits(tokenizer: Path | None, dataset: AnyDataset) -> Callable[[str], bool] | None:
    """Return what tells whether a prompt is within the limit of the form, if it has one."""
    if dataset.form != "niv2":
        return None
    if tokenizer is None:
        raise InputError("NIV2 counts a prompt's tokens: give the base model's folder, --tokenizer")
    from tokenizers import Tokenizer

    file = tokenizer / "tokenizer.json"
    if not file.is_file():
        raise InputError(f"{file}: no such file; NIV2 counts a prompt's tokens with it")
    try:
        encoder = Tokenizer.from_file(str(file))
    except Exception as error:  # it raises nothing more precise
        raise InputError(f"{file}: no tokenizer ({error}); copy or fetch it again") from None
    limit = dataset.prompt.source_tokens
    return lambda prompt: len(encoder.encode(prompt, add_special_tokens=False)) <= limit


def _row(instance: Instance) -> dict[str, object]:
    messages = instance.messages
    if instance.expand:
        messages = [{**messages[0], "content": instance.expand()}, *messages[1:]]
    # Without references of its own: embedding and generation look at the first exchange.
    return {
        "id": instance.id,
        "task": instance.task,
        "messages": messages,
        "references": list(instance.references) or [messages[1]["content"]],
        "source": instance.source,
    }


def _dataset(text: str) -> AnyDataset:
    try:
        return TypeAdapter[AnyDataset](AnyDataset).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(whole)"
        raise argparse.ArgumentTypeError(f"{key}: {first['msg']}") from None


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add(
        "--dataset",
        type=_dataset,
        required=True,
        metavar="JSON",
        help="a section of `data` in the config: form, sample, … (docs/config.md)",
    )
    add("--input", type=Path, required=True, help="the published file or folder")
    add("--key-list", type=Path, help="list of training and unseen tasks (JSON)")
    add("--tokenizer", type=Path, help="folder of the base model (niv2)")
    add("--split", required=True, help="train, specialist-SEED, generalist-SEED or heldout")
    add("--output", type=Path, required=True, help="instances to write (Parquet)")
    cli.run(main, parser.parse_args())
