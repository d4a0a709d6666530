"""Flan-mini: a JSON array of conversations, plain or zipped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from nearfirst.data import chat_rows
from nearfirst.data.conversation import Instance, Message
from nearfirst.data.naming import source_of, unique_ids
from nearfirst.data.readers.json_rows import find
from nearfirst.data.readers.user_files import rows
from nearfirst.data.settings import Dataset, SampleSettings


class Settings(Dataset):
    """Flan-mini: `flan_mini.json` or `flan_mini.json.zip`."""

    title: ClassVar[str] = "Flan-mini"

    format: Literal["flan"] = Field("flan", description="Published form.")
    key_list: str | None = Field(
        None,
        min_length=1,
        description="JSON file with `train_key_list` and `eval_key_list` (task names). Null: "
        "`split.json` in the folder of the data, or a split by `sample.split_seed`.",
    )
    sample: SampleSettings = SampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or the one in a folder. Raises InputError if there is none."""
    return [find(path, ("flan_mini.json", "flan_mini.json.zip"))]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of the file, or of the file in the folder `path`, in its order.

    The file does not name the source of a task, so `naming.source_of` guesses it. A row without an
    id gets `flan_N`, where N is its number.

    Raises InputError if the file is missing, empty, cut off or does not hold JSON objects.
    """
    (file,) = files(settings, path)
    numbered = enumerate(rows(file), start=1)
    return unique_ids(_instance(row, f"flan_{n}", where) for n, (where, row) in numbered)


def _instance(row: dict[str, Any], id_: str, where: str) -> Instance:
    # Nearly all rows are one exchange. Reading them by the general rules would take a third longer.
    turns = row.get("conversations")
    if len(row) == 3 and isinstance(turns, list) and [*map(type, turns)] == [dict, dict]:
        question, answer = turns
        keys: list[Any] = [row.get("id"), row.get("source"), *question.values(), *answer.values()]
        is_exchange = [*question] == [*answer] == ["from", "value"]
        is_text = not [x for x in keys if type(x) is not str or not x or x.isspace()]
        if is_exchange and is_text and keys[2] == "human" and keys[4] == "gpt":
            name, task, _, asked, _, answered = keys
            messages: list[Message] = [
                {"role": "user", "content": asked, "trained": False},
                {"role": "assistant", "content": answered, "trained": True},
            ]
            return Instance(name, task, messages, 0, where, source=source_of(task), row=row)
    instance = chat_rows.instance("conversations", row, where, id_, task_column="source")
    instance.source = source_of(instance.task)
    return instance
