"""Super-NaturalInstructions v2 (NIV2): a checkout with one JSON file per task.

`splits/default/train_tasks.txt` and `test_tasks.txt` list the training and unseen tasks; other
files in `tasks/` are not read.

The prompts have the format of the official code (Tk-Instruct), which the published experiments use,
including its stray spaces:

- texts are stripped, and those of the prompt that do not end in ASCII punctuation get a full stop
  (an empty input becomes `Input: .`);
- a blank line follows the definition and each example; ` Positive Example 1 -` and ` Output:` of an
  example begin with a space; the prompt ends with `Output: `;
- of several definitions, the first is used;
- examples are tried in order, up to the first that does not fit.

As in Table 1, there are neither the task's name, nor negative examples, nor explanations.
"""

import functools
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section
from nearfirst.data.conversation import Instance, Message, Part
from nearfirst.data.naming import source_of, unique_ids
from nearfirst.data.readers.json_rows import take, value
from nearfirst.data.settings import Dataset, SampleSettings

_LISTS: dict[Part, str] = {"train": "train_tasks.txt", "unseen": "test_tasks.txt"}

Fits = Callable[[str], bool]
"""Returns whether a prompt is within the limit of tokens."""


class PromptSettings(Section):
    """What a task's prompt contains (Table 1)."""

    definition: bool = Field(True, description="Include the definition of the task.")
    positive_examples: NonNegativeInt = Field(2, description="Maximum number of positive examples.")
    source_tokens: PositiveInt = Field(
        1024,
        description="Tokens of the base model: examples are added while the whole prompt fits.",
    )


class Settings(Dataset):
    """Super-NaturalInstructions v2: a checkout with `tasks/` and `splits/default/`."""

    title: ClassVar[str] = "NIV2"

    format: Literal["niv2"] = Field("niv2", description="Published form.")
    needs_tokenizer: ClassVar[bool] = True
    prompt: PromptSettings = PromptSettings()
    sample: SampleSettings = SampleSettings()
    tested_per_task: ClassVar[int | None] = 100


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the two lists and the files of their tasks. Raises InputError as `read` does."""
    lists = [_list(path, part) for part in _LISTS]
    return [*lists, *(_file(path, task) for task in sorted(_parts(path)))]


def read(settings: Settings, path: Path, tokenizer: Path) -> Iterator[Instance]:
    """Yield the instances of the listed tasks, sorted by task name, in each file's order.

    The messages are the bare input and the first output; `expand` builds the whole prompt, with
    examples as long as it is within `prompt.source_tokens` tokens. All outputs are references. An
    instance without an `id` (old revisions) gets `task-row`. A task's source is the first of its
    `Source`, or `naming.source_of` its name. Only one file at a time is in memory. Of an unseen
    task, only the first 100 are read, which are balanced by label: NIV2 evaluates on these.

    Raises InputError if the folder has no readable tokenizer, the path is not a checkout, a list
    names a task twice or one without a file, or a file is not in the published form.
    """
    from tokenizers import Tokenizer  # Not needed for the settings.

    file = tokenizer / "tokenizer.json"
    if not file.is_file():
        raise InputError(f"{file}: no such file; NIV2 counts a prompt's tokens with it")
    try:
        encoder = Tokenizer.from_file(str(file))
    except Exception as error:  # The library raises nothing more specific.
        raise InputError(f"{file}: no tokenizer ({error}); copy or fetch it again") from None
    # Count the whole prompt, however the tokenizer prepares text for its model.
    encoder.no_truncation()
    encoder.no_padding()
    limit = settings.prompt.source_tokens

    def fits(prompt: str) -> bool:
        return len(encoder.encode(prompt, add_special_tokens=False)) <= limit

    tasks = (_task(path, name, part, settings, fits) for name, part in sorted(_parts(path).items()))
    return unique_ids(instance for task in tasks for instance in task)


def _parts(path: Path) -> dict[str, Part]:
    """Return each listed task's side of the split."""
    parts: dict[str, Part] = {}
    for part in _LISTS:
        file = _list(path, part)
        if not file.is_file():
            raise InputError(
                f"{file}: no such file; the path must be a NIV2 checkout with tasks/ and splits/"
            )
        lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        for task in filter(None, (line.strip() for line in lines)):
            if task in parts:
                raise InputError(
                    f"{file}: task '{task}' is listed twice, counting {_LISTS['train']}; remove one"
                )
            if Path(task).name != task or "\0" in task:
                raise InputError(
                    f"{file}: task {task!r} is not the name of a file in tasks/; remove it"
                )
            parts[task] = part
    return parts


def _list(path: Path, part: Part) -> Path:
    return path / "splits" / "default" / _LISTS[part]


def _file(path: Path, task: str) -> Path:
    return path / "tasks" / f"{task}.json"


def _task(path: Path, name: str, part: Part, settings: Settings, fits: Fits) -> Iterator[Instance]:
    file = _file(path, name)
    content = value(file)
    rows = take(content, "Instances", list, str(file))
    definition, examples = _read_prompt(content, settings.prompt, str(file))
    source = _source(content, name)
    # In other splits, a task that was published as unseen may be trained on.
    is_tested = part == "unseen" and settings.sample.split == "published"
    for number, row in enumerate(rows[: settings.tested_per_task if is_tested else None], start=1):
        where = f"{file}: instance {number}"
        question = take(row, "input", str, where).strip()
        answers = _texts(row, "output", where)
        messages: list[Message] = []
        # The question may be empty, since the definition asks one.
        if answers and answers[0]:
            messages = [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answers[0]},
            ]
        id_ = row.get("id")
        yield Instance(
            id=f"{name}-{number}" if id_ is None else str(id_).strip(),
            task=name,
            messages=messages,
            dropped=0,
            where=where,
            references=tuple(filter(None, answers)),
            source=source,
            part=part,
            expand=functools.partial(_build_prompt, definition, examples, question, fits),
            row=row,
        )


def _read_prompt(task: Any, settings: PromptSettings, where: str) -> tuple[str, list[str]]:
    """Return the definition and the examples of a task, as they are in its prompts."""
    definition = ""
    if settings.definition:
        definitions = _texts(task, "Definition", where)
        if not definitions:
            raise InputError(f"{where}: 'Definition' is an empty list")
        definition = f"{_line('Definition', definitions[0])}\n"
    examples = []
    rows = take(task, "Positive Examples", list, where)[: settings.positive_examples]
    for number, row in enumerate(rows, start=1):
        place = f"{where}: 'Positive Examples', example {number}"
        question = _line("Input", take(row, "input", str, place))
        answer = _line(" Output", take(row, "output", str, place))
        examples.append(f" Positive Example {number} -\n{question}{answer}\n")
    return definition, examples


def _build_prompt(definition: str, examples: list[str], question: str, fits: Fits) -> str:
    """Return the definition, as many examples as fit, and the question."""
    tail = f"Now complete the following example -\n{_line('Input', question)}Output: "
    body = definition
    for example in examples:
        if not fits(body + example + tail):
            break
        body += example
    return body + tail


def _line(label: str, text: str) -> str:
    line = f"{label}: {text.strip()}"
    return line + ("\n" if line[-1] in string.punctuation else ".\n")


def _texts(row: Any, key: str, where: str) -> list[str]:
    """Return the texts of a key that holds one or a list."""
    content = take(row, key, object, where)
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
        raise InputError(f"{where}: '{key}' must be a text or a list of texts")
    return [text.strip() for text in content]


def _source(content: dict[str, Any], name: str) -> str:
    sources = content.get("Source")
    first = sources[0] if isinstance(sources, list) and sources else sources
    return first.strip().lower() if isinstance(first, str) and first.strip() else source_of(name)
