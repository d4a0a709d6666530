"""Sample the training instances or one test set of a data set."""

import json
import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.common.text import counted
from nearfirst.data import registry
from nearfirst.data.conversation import TOOLS, Instance, Message, is_trained, target
from nearfirst.data.inventory import Inventory, take_inventory
from nearfirst.data.overlap import Overlap
from nearfirst.data.settings import Dataset, HeldOut
from nearfirst.data.split import Split, split

_SAMPLES = {
    "tasks": "train|specialist-SEED|generalist-SEED",
    "rows": "train|heldout",
    "nothing": "train|heldout",
}
"""The samples of a pool for each kind of held-out data."""

Takes = Callable[[Sequence[Message]], str]
"""Returns why a conversation with tool turns cannot be used, or "" if it can."""


def takes_no_tools(messages: Sequence[Message]) -> str:
    """Refuse every conversation with tool turns."""
    return (
        "a turn is from a tool, which only a chat template can show: set template.format to chat "
        "and name a model with one"
    )


def sample(
    settings: Dataset,
    path: Path,
    name: str,
    *,
    holds_out: HeldOut | None = None,
    test_path: Path | None = None,
    key_list: Path | None = None,
    tokenizer: Path | None = None,
    takes: Takes = takes_no_tools,
    apart_from: str | None = None,
) -> Iterator[Instance]:
    """Yield the instances of one sample of a data set, in the order of the file.

    The data are read twice, so that neither they nor the sample are held in memory. `name` is
    `train`, `heldout`, `specialist-SEED`, `generalist-SEED` or `query`; with a `test_path`, all of
    that file is the sample `heldout` or `query`. `holds_out` overrides the settings, and `key_list`
    the folder's `split.json`. `tokenizer` is the folder of the base model, for formats that count
    tokens. `takes` checks conversations with tool turns. The sample must not equal `apart_from`.

    Raises InputError if a file cannot be read, there is no such sample, there are too few tasks or
    rows for it, or it equals `apart_from`.
    """
    holds_out = holds_out or settings.holds_out
    expected = _SAMPLES[holds_out]
    is_query = name == "query"
    is_separate = is_query or (holds_out == "nothing" and name == "heldout")
    if not (is_query or re.fullmatch(expected.replace("SEED", r"\d+"), name)):
        raise InputError(f"--split {name}: expected {expected} or query")
    if is_separate != bool(test_path):
        raise InputError(f"--split {name}: only a query set or a separate test set is --test-input")

    def read_pool() -> Iterator[Instance]:
        return registry.read(settings, path, tokenizer)

    def read_test() -> Iterator[Instance]:
        if not test_path:
            return iter(())
        kind = "query" if is_query else "test"
        return _check_tools(registry.read(settings, test_path, tokenizer, kind), takes)

    # Warn about the pool once, not again for each test set drawn from it.
    level = logging.WARNING if name == "train" else logging.INFO
    pool = inventory(path, _check_tools(read_pool(), takes), settings, level)
    if test_path:
        inventory(test_path, read_test(), settings, logging.WARNING)
    if key_list is None and (path / "split.json").is_file():
        key_list = path / "split.json"
    parts = split(pool, settings.sample, holds_out, key_list, settings.tested_per_task)
    chosen = set() if is_separate else choose(parts, settings.sample, name)
    # The settings may lack what a sample of another kind needs.
    same_kind = apart_from and apart_from.split("-")[0] == name.split("-")[0]
    if same_kind and choose(parts, settings.sample, str(apart_from)) == chosen:
        raise InputError(
            f"{path}: {name}, the queries, holds the same instances as {apart_from}, the test set; "
            "lower sample.specialist_per_task or sample.generalist, or leave query out"
        )
    compares = settings.is_own and name != "train"
    trained = sample_rows(parts.train, None, 0) if compares else set()
    overlap = Overlap()
    for instance in read_test():
        if instance.messages:
            overlap.add_test(instance)
            yield instance
    for number, instance in enumerate(bar(read_pool(), "rows") if chosen or trained else ()):
        if number in trained:
            overlap.add_train(instance)
        if number in chosen:
            if compares:
                overlap.add_test(instance)
            yield instance
    if warning := overlap.warning():
        logging.warning("%s: %s", test_path or path, warning)


def _check_tools(instances: Iterator[Instance], takes: Takes) -> Iterator[Instance]:
    for instance in instances:
        messages = instance.messages
        has_tools = len(messages) > 2 and any(turn["role"] in TOOLS for turn in messages)
        if has_tools and (fault := takes(messages)):
            instance.messages, instance.fault = [], fault
        yield instance


def inventory(path: Path, rows: Iterator[Instance], settings: Dataset, level: int) -> Inventory:
    """Take the inventory of a data set; log its size, and at `level` what is not used.

    Raises InputError as `take_inventory` does, or if no row can be used.
    """
    # Closing the bar, even after an error, lets the next message begin on a new line.
    with closing(bar(rows, "rows")) as shown:
        result = take_inventory(shown, skip_unusable=settings.sample.unusable == "skip")
    usable = sum(map(len, result.rows.values()))
    tasks = counted(len(result.rows), "task")
    logging.info("%d rows, %d of them usable, %s", result.total, usable, tasks)
    for warning in result.warnings():
        logging.log(level, warning)
    if not result.rows:
        raise InputError(f"{path}: of {result.total} rows none has a question with an answer")
    return result


def choose(parts: Split, settings: Any, name: str) -> set[int]:
    """Return the row indices of one sample, given the data set's section `sample`.

    Raises InputError if the unseen tasks have too few rows for a generalist test set.
    """
    kind, _, seed = name.partition("-")
    if kind == "specialist":
        return sample_rows(parts.test, settings.specialist_per_task, int(seed))
    if kind == "generalist":
        return sample_over_tasks(parts.test, settings.generalist, int(seed))
    if kind == "heldout":
        return sample_rows(parts.test, None, 0)
    # Dialogues lack these keys: training uses all of them.
    max_count: int | None = getattr(settings, "train_per_task", None)
    return sample_rows(parts.train, max_count, getattr(settings, "train_seed", 0))


def sample_rows(rows: Mapping[str, Sequence[int]], max_count: int | None, seed: int) -> set[int]:
    """Choose up to `max_count` rows of each task; None chooses all.

    Each task has a separate generator, so its sample depends only on the seed and its rows.
    """
    chosen: set[int] = set()
    for task, of_task in rows.items():
        if max_count is None or max_count >= len(of_task):
            chosen.update(of_task)
        else:
            chosen.update(random.Random(f"{seed}/{task}").sample(of_task, max_count))
    return chosen


def sample_over_tasks(rows: Mapping[str, Sequence[int]], count: int, seed: int) -> set[int]:
    """Choose `count` rows, one from each task in turn, with tasks and rows in a seeded order.

    Raises InputError if the tasks have too few rows.
    """
    generator = random.Random(f"generalist/{seed}")
    order = generator.sample(sorted(rows), len(rows))
    shuffled = [generator.sample(rows[task], len(rows[task])) for task in order]
    in_turn = [row for turn in zip_longest(*shuffled) for row in turn if row is not None]
    if count > len(in_turn):
        raise InputError(
            f"sample.generalist: {count} instances, but the unseen tasks have {len(in_turn)}"
        )
    return set(in_turn[:count])


def table_row(instance: Instance, *, keep_row: bool) -> dict[str, object]:
    """Return a row of the table `common.parquet.SOURCES`, with the original row if `keep_row`."""
    messages = instance.messages
    if instance.expand:
        messages = [{**messages[0], "content": instance.expand()}, *messages[1:]]
    answer = messages[target(messages)]["content"]
    return {
        "id": instance.id,
        "task": instance.task,
        "messages": [message | {"trained": is_trained(message)} for message in messages],
        "references": list(instance.references) or [answer],
        "source": instance.source,
        "row": _to_json(instance.row) if keep_row else None,
    }


def _to_json(row: Any) -> str:
    text = json.dumps(row, default=_convert)
    if "NaN" in text or "Infinity" in text:
        # JSON has no such numbers, so they become null.
        text = json.dumps(json.loads(text, parse_constant=lambda _: None))
    return text


def _convert(value: object) -> object:
    # Parquet has decimals, which become numbers, and further types, which become text.
    return float(value) if isinstance(value, Decimal) else str(value)
