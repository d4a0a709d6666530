"""A sample of a data set: its training instances, or one of its test sets."""

import json
import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.common.text import counted
from nearfirst.data import registry
from nearfirst.data.conversation import Instance, Message, has_tools, is_trained, target
from nearfirst.data.inventory import Inventory, take_inventory
from nearfirst.data.overlap import Overlap
from nearfirst.data.settings import Dataset, HeldOut
from nearfirst.data.split import Split, split

_SAMPLES = {
    "tasks": (r"train|(specialist|generalist)-\d+", "train, specialist-SEED or generalist-SEED"),
    "rows": ("train|heldout", "train or heldout"),
    "nothing": ("train|heldout", "train, or heldout with a test set of its own"),
}
"""What is held out, to a pattern of the samples there are, and how to say it."""

Takes = Callable[[Sequence[Message]], str]
"""Says why a conversation with turns of tools cannot be used; "" if it can."""


def takes_no_tools(messages: Sequence[Message]) -> str:
    """Return why none can be used."""
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
    """Yield the instances of one sample of a data set, in the file's order.

    The data are read twice, so that neither they nor the sample lie in memory. `name` is `train`,
    `heldout`, `specialist-SEED`, `generalist-SEED` or `query`; what is at `test_path` is the whole
    of `heldout` or of `query`. `holds_out` takes the place of what the settings say, and `key_list`
    that of the folder's `split.json`. `tokenizer` is the folder of the base model, for formats that
    count tokens. `takes` is asked about each conversation with turns of tools. `apart_from` is a
    sample that this one must not equal.

    Raises InputError if a file cannot be read, there is no such sample, too few tasks or rows for
    it, or if it is `apart_from`.
    """
    holds_out = holds_out or settings.holds_out
    pattern, expected = _SAMPLES[holds_out]
    is_query = name == "query"
    own_test = is_query or (holds_out == "nothing" and name == "heldout")
    if not (is_query or re.fullmatch(pattern, name)) or own_test != bool(test_path):
        raise InputError(f"--split {name}: expected {expected}")

    def read() -> Iterator[Instance]:
        return _checked(registry.read(settings, path, tokenizer), takes)

    def read_test() -> Iterator[Instance]:
        kind = "query" if is_query else "test"
        found = registry.read_test(settings, test_path, kind) if test_path else iter(())
        return _checked(found, takes)

    # What is said of the pool is said once, not for each test set that is drawn from it.
    found = inventory(path, read(), settings, logging.WARNING if name == "train" else logging.INFO)
    if test_path:
        inventory(test_path, read_test(), settings, logging.WARNING)
    if key_list is None and (path / "split.json").is_file():
        key_list = path / "split.json"
    parts = split(found, settings.sample, holds_out, key_list, settings.tested_per_task)
    wanted = set() if own_test else choose(parts, settings.sample, name)
    # What another kind of set takes, these settings need not say.
    same_kind = apart_from and apart_from.split("-")[0] == name.split("-")[0]
    if same_kind and choose(parts, settings.sample, str(apart_from)) == wanted:
        raise InputError(
            f"{path}: {name}, the queries, holds the same instances as {apart_from}, the test set; "
            "lower sample.specialist_per_task or sample.generalist, or leave query out"
        )
    compares = settings.warns_of_overlap and name != "train"
    trained = sample_rows(parts.train, None, 0) if compares else set()
    overlap = Overlap()
    for instance in read_test():
        if instance.messages:
            overlap.add_test(instance)
            yield instance
    for number, instance in enumerate(bar(read(), "rows") if wanted or trained else ()):
        if number in trained:
            overlap.add_train(instance)
        if number in wanted:
            if compares:
                overlap.add_test(instance)
            yield instance
    if warning := overlap.warning():
        logging.warning("%s: %s", test_path or path, warning)


def _checked(instances: Iterator[Instance], takes: Takes) -> Iterator[Instance]:
    for instance in instances:
        its = instance.messages
        # Most rows are one exchange.
        if len(its) > 2 and has_tools(its) and (fault := takes(its)):
            instance.messages, instance.fault = [], fault
        yield instance


def inventory(path: Path, rows: Iterator[Instance], settings: Dataset, level: int) -> Inventory:
    """List what can be used; log how much it is, and what else there is."""
    # Closed also on an error, so that the bar's line ends before the error's begins.
    with closing(bar(rows, "rows")) as shown:
        found = take_inventory(shown, skip_unusable=settings.sample.unusable == "skip")
    usable = sum(map(len, found.rows.values()))
    tasks = counted(len(found.rows), "task")
    logging.info("%d rows, %d of them usable, %s", found.total, usable, tasks)
    for unused in found.warnings():
        logging.log(level, unused)
    if not found.rows:
        raise InputError(f"{path}: of {found.total} rows none has a question with an answer")
    return found


def choose(parts: Split, settings: Any, name: str) -> set[int]:
    """Return the row numbers of one sample, given the data set's section `sample`.

    Raises InputError if the unseen tasks have too few rows for a generalist test set.
    """
    kind, _, seed = name.partition("-")
    if kind == "specialist":
        return sample_rows(parts.test, settings.specialist_per_task, int(seed))
    if kind == "generalist":
        return sample_over_tasks(parts.test, settings.generalist, int(seed))
    if kind == "heldout":
        return sample_rows(parts.test, None, 0)
    # Dialogues have no such key: all of them are trained on.
    most: int | None = getattr(settings, "train_per_task", None)
    return sample_rows(parts.train, most, getattr(settings, "train_seed", 0))


def sample_rows(rows: Mapping[str, Sequence[int]], most: int | None, seed: int) -> set[int]:
    """Choose up to `most` rows of each task; None takes all.

    Each task has a generator of its own, so its sample depends on the seed and on its rows only.
    """
    chosen: set[int] = set()
    for task, have in rows.items():
        if most is None or most >= len(have):
            chosen.update(have)
        else:
            chosen.update(random.Random(f"{seed}/{task}").sample(have, most))
    return chosen


def sample_over_tasks(rows: Mapping[str, Sequence[int]], count: int, seed: int) -> set[int]:
    """Choose `count` rows spread over all tasks: one of each in turn, in a seeded order.

    Raises InputError if the tasks do not have so many rows.
    """
    generator = random.Random(f"generalist/{seed}")
    order = generator.sample(sorted(rows), len(rows))
    shuffled = [generator.sample(rows[task], len(rows[task])) for task in order]
    longest = max(map(len, shuffled))
    in_turn = [
        of_task[turn] for turn in range(longest) for of_task in shuffled if turn < len(of_task)
    ]
    if count > len(in_turn):
        raise InputError(
            f"sample.generalist: {count} instances, but the unseen tasks have {len(in_turn)}"
        )
    return set(in_turn[:count])


def table_row(instance: Instance, *, keep_row: bool) -> dict[str, object]:
    """Return the row of `common.parquet.SOURCES`; with `keep_row` also as it was read."""
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
        "row": _row_text(instance.row, instance.where) if keep_row else None,
    }


def _row_text(row: Any, where: str) -> str:
    try:
        text = _encode(row)
    except RecursionError:
        raise InputError(f"{where}: lists or objects nested too deep") from None
    if "NaN" in text or "Infinity" in text:
        # JSON has no such numbers, and writes null for them.
        text = json.dumps(json.loads(text, parse_constant=lambda _: None))
    if "\\ud" in text:
        # Half a surrogate pair is not a character, and no file could hold it.
        text = json.dumps(json.loads(text), ensure_ascii=False)
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def _as_json(value: object) -> object:
    # Numbers with a decimal point in a JSON array, and types that only Parquet has.
    return float(value) if isinstance(value, Decimal) else str(value)


_encode = json.JSONEncoder(default=_as_json).encode
