"""OpenAI Evals: JSON lines of questions and ideal answers, one file per task.

The package `evals` ships them below `evals/registry/data/`.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, exchange
from nearfirst.data.readers.json_rows import rows
from nearfirst.data.readers.streams import is_hidden
from nearfirst.data.settings import Dataset, SampleSettings

REGISTRY = "evals/registry/data"


class Settings(Dataset):
    """OpenAI Evals: files of `evals/registry/data/` with questions and ideal answers."""

    title: ClassVar[str] = "OpenAI Evals"

    format: Literal["openai-evals"] = Field("openai-evals", description="Published form.")
    rows_per_task: PositiveInt | None = Field(
        None, description="Read only this many rows of each file, from the first; null reads all."
    )
    sample: SampleSettings = SampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return all `.jsonl` files below the registry, sorted; `read` skips some of them."""
    return sorted(file for file in _registry(path).glob("**/*.jsonl") if not is_hidden(file))


def _registry(path: Path) -> Path:
    return path / REGISTRY if (path / REGISTRY).is_dir() else path


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of the `files` below the registry `path`, or below its root folder.

    A file is a task, named after its path without `samples` and `.jsonl`: `GOL`,
    `cybersecurity/filepaths`. Its source is the first folder. The messages of a question are joined
    by line breaks into one user turn; the first ideal answer is the assistant turn, and all of them
    are references. Files whose first row has no `input` list and `ideal` are skipped, since the
    registry also holds games, texts and problems without answers.

    Raises InputError if no file is left, or a row does not have the form `{input: [{role,
    content}], ideal: text or list of texts}`.
    """
    registry = _registry(path)
    is_empty = True
    for file in files(settings, path):
        task = file.relative_to(registry).with_suffix("")
        name = "/".join(part for part in task.parts if part != "samples")
        first_rows = islice(rows(file), settings.rows_per_task)
        for number, (where, row) in enumerate(first_rows, start=1):
            if number == 1 and not _is_question(row):
                break
            is_empty = False
            yield _instance(row, name or "samples", where, number)
    if is_empty:
        raise InputError(f"{path}: no file below it holds questions with an `ideal` answer")


def _is_question(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("input"), list) and "ideal" in row


def _instance(row: Any, task: str, where: str, number: int) -> Instance:
    if not _is_question(row):
        raise InputError(f"{where}: expected an object with `input`, a list, and `ideal`")
    contents: list[Any] = [
        turn.get("content") if isinstance(turn, dict) else None for turn in row["input"]
    ]
    ideal = row["ideal"] if isinstance(row["ideal"], list) else [row["ideal"]]
    for key, texts in (("input", contents), ("ideal", ideal)):
        if wrong := [text for text in texts if not isinstance(text, str)]:
            raise InputError(f"{where}: '{key}' holds {type(wrong[0]).__name__}, not text")
    question = "\n".join(text for text in contents if text.strip())
    answers = tuple(dict.fromkeys(text for text in ideal if text.strip()))
    messages = exchange(question, "".join(answers[:1]))
    source = task.partition("/")[0]
    return Instance(f"{task}#{number}", task, messages, 0, where, answers, source, row=row)
