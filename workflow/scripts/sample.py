r"""Split a data set and sample one part of it: training or test instances.

For instance:
  sample.py --dataset '{"format": "flan"}' --input flan_mini.json.zip --split train \
      --output train.parquet
"""

import argparse
import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import SOURCES, write_rows
from nearfirst.data import chat_split, sample
from nearfirst.data.conversation import Instance
from nearfirst.data.formats import registry
from nearfirst.data.settings import Dataset, DialogueSampleSettings, HeldOut


def main(arguments: argparse.Namespace) -> None:
    """Read the data twice, so that memory holds neither them nor the sample."""
    dataset = arguments.dataset
    fits = _fits(arguments.tokenizer, dataset)
    extra = [fits] if dataset.needs_tokenizer else []

    def read() -> Iterator[Instance]:
        return registry.read(dataset, arguments.input, *extra)

    found = _inventory(arguments.input, read(), dataset)
    if dataset.format == "chat":
        chosen = _own(arguments, dataset, found)
    else:
        rows = _choose(found, dataset, arguments.split, arguments.key_list)
        chosen = (instance for number, instance in enumerate(_shown(read())) if number in rows)
    tasks: set[str] = set()

    def rows_to_write() -> Iterator[dict[str, object]]:
        for instance in chosen:
            tasks.add(instance.task)
            yield _row(instance)

    kept = write_rows(rows_to_write(), SOURCES, arguments.output)
    logging.info("%s: %d instances of %d tasks", arguments.split, kept, len(tasks))


def _shown(rows: Iterable[Instance]) -> Generator[Instance, None, None]:
    yield from tqdm(rows, desc="rows", unit="", mininterval=5)


def _inventory(path: Path, rows: Iterable[Instance], dataset: Any) -> sample.Inventory:
    """List what can be used, and say how much it is."""
    # Closed also on an error, so that the bar's line is ended before the error's begins.
    with closing(_shown(rows)) as shown:
        found = sample.take_inventory(shown, skip_unusable=dataset.sample.unusable == "skip")
    logging.info(
        "%d rows, %d tasks; %d rows without a usable exchange, %d turns left out",
        *(found.total, len(found.rows), found.unusable, found.dropped_turns),
    )
    if not found.rows:
        raise InputError(f"{path}: of {found.total} rows none has a question with an answer")
    return found


def _own(
    arguments: argparse.Namespace, dataset: Any, found: sample.Inventory
) -> Iterator[Instance]:
    """Yield what is chosen of data of one's own; of a test set, say what is in the pool too."""
    chat, test_path = registry.module("chat"), arguments.test_input
    if arguments.split != "heldout":
        test_path = None
    parts = chat_split.split(
        found,
        dataset.sample,
        *(("train", "nothing") if test_path else (arguments.split, arguments.hold_out)),
    )
    wanted = parts.train if arguments.split == "train" else parts.test
    shared = chat_split.Overlap()
    if test_path:

        def read_test() -> Iterator[Instance]:
            rows: Iterator[Instance] = chat.read(
                dataset, test_path, f"{chat.TASK}_test", task_is_optional=True
            )
            return rows

        _inventory(test_path, read_test(), dataset)
        for instance in filter(lambda its: its.messages, read_test()):
            shared.add_test(instance)
            yield instance
    for number, instance in enumerate(_shown(chat.read(dataset, arguments.input))):
        if number in parts.train:
            shared.add_train(instance)
        elif number in parts.test:
            shared.add_test(instance)
        if number in wanted:
            yield instance
    if warning := shared.warning():
        logging.warning("%s: %s", test_path or arguments.input, warning)


def _choose(found: sample.Inventory, dataset: Any, split: str, key_list: Path | None) -> set[int]:
    """Return the row numbers of a split."""
    settings = dataset.sample
    kind, _, seed = split.partition("-")
    if isinstance(settings, DialogueSampleSettings):
        train, test = sample.hold_out(found, settings.held_out, settings.split_seed)
        parts = {"train": train, "heldout": test}
        if split not in parts:
            raise InputError(f"--split {split}: dialogues are split into {' and '.join(parts)}")
        return parts[split]
    train_tasks, unseen = sample.split(found, settings, key_list)
    tested = dataset.prompt.eval_instances if dataset.format == "niv2" else None
    rows = {task: found.rows[task][:tested] for task in unseen}
    if split == "train":
        most, train_seed = settings.train_per_task, settings.train_seed
        return sample.sample_rows(found.rows, train_tasks, most, train_seed)
    if kind == "specialist" and seed.isdecimal():
        most = settings.specialist_per_task
        return sample.sample_rows(rows, unseen, most, int(seed))
    if kind == "generalist" and seed.isdecimal():
        return sample.sample_over_tasks(rows, unseen, settings.generalist, int(seed))
    raise InputError(f"--split {split}: expected train, specialist-SEED or generalist-SEED")


def _fits(tokenizer: Path | None, dataset: Any) -> Callable[[str], bool] | None:
    """Return what tells whether a prompt is within the limit of the form, if it has one."""
    if not dataset.needs_tokenizer:
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


def _dataset(text: str) -> Dataset:
    try:
        return registry.settings_class(json.loads(text).get("format", "")).parse(text)
    except (InputError, ValueError, AttributeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add(
        "--dataset",
        type=_dataset,
        required=True,
        metavar="JSON",
        help="a section of `data` in the config: format, sample, … (docs/config.md)",
    )
    add("--input", type=Path, required=True, help="the published file or folder, or your own")
    add("--key-list", type=Path, help="list of training and unseen tasks (JSON)")
    add("--tokenizer", type=Path, help="folder of the base model (niv2)")
    add("--test-input", type=Path, help="the test set, if it is a file of its own (chat)")
    add(
        "--hold-out",
        choices=get_args(HeldOut),
        default="rows",
        help="what of the pool is the test set (chat; default: rows)",
    )
    add("--split", required=True, help="train, specialist-SEED, generalist-SEED or heldout")
    add("--output", type=Path, required=True, help="instances to write (Parquet)")
    cli.run(main, parser.parse_args())
