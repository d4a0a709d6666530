"""OpenAI Evals: JSON lines of questions and ideal answers, a file a task.

The package `evals` ships them below `evals/registry/data/`.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Message
from nearfirst.data.readers.json_rows import rows
from nearfirst.data.readers.streams import is_hidden
from nearfirst.data.settings import Dataset, SampleSettings

REGISTRY = "evals/registry/data"


class Settings(Dataset):
    """OpenAI Evals: the files of `evals/registry/data/` that hold questions and ideal answers."""

    title: ClassVar[str] = "OpenAI Evals"

    format: Literal["openai-evals"] = Field("openai-evals", description="Published form.")
    rows_per_task: PositiveInt | None = Field(
        None, description="Read the first so many rows of each file; null reads all."
    )
    sample: SampleSettings = SampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return all files `.jsonl` below the registry, sorted by path; some are passed over."""
    found = _registry(path).glob("**/*.jsonl")
    return sorted(file for file in found if not is_hidden(file))


def _registry(path: Path) -> Path:
    return path / REGISTRY if (path / REGISTRY).is_dir() else path


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances, file by file in the order of their paths.

    A file is a task, called as its path without `samples` and `.jsonl`: `GOL`, `ab`,
    `cybersecurity/filepaths`. The source is its folder. The messages of a question, system's first,
    are one user turn with a line between them; the first ideal answer is the assistant's turn, and
    all of them are references. The registry holds other things too (games, texts, problems without
    an answer): a file whose first row has no `input` of messages with an `ideal` is passed over.

    Raises InputError if there is no such file, or a row of one is not of the form `{input: [{role,
    content}], ideal: text or list of texts}`; the row is named.

    Parameters
    ----------
    path
        Folder that holds the files: the registry, or one that it lies in.
    """
    registry = _registry(path)
    found = False
    for file in files(settings, path):
        task = file.relative_to(registry).with_suffix("")
        name = "/".join(part for part in task.parts if part != "samples")
        found_here = islice(rows(file), settings.rows_per_task)
        for number, (where, row) in enumerate(found_here, start=1):
            if number == 1 and not _is_question(row):
                break
            found = True
            yield _instance(row, name or "samples", where, number)
    if not found:
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
    messages: list[Message] = []
    if question and answers:
        messages = [
            Message(role="user", content=question),
            Message(role="assistant", content=answers[0]),
        ]
    dropped = 0 if messages else 2
    source = task.partition("/")[0]
    return Instance(
        f"{task}#{number}", task, messages, dropped, where, answers, source=source, row=row
    )
