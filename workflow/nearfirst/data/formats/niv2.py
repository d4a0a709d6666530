"""Super-NaturalInstructions v2 (NIV2) as published: a checkout with one JSON file a task.

Which tasks there are, and which of them are unseen, say `splits/default/train_tasks.txt` and
`test_tasks.txt`; other files in `tasks/` are not read. The prompt has the layout of NIV2's own code
(Tk-Instruct), which the published experiments use as it is, stray spaces included:

- texts are stripped, and those of the prompt that end in no ASCII punctuation get a full stop (an
  empty input becomes `Input: .`);
- a blank line stands after the definition and after each example; ` Positive Example 1 -`,
  ` Output:` and ` Explanation:` of an example begin with a space; the prompt ends in `Output: `;
- of several definitions the first is given;
- examples are tried in order, and after the first that does not fit no other of its kind is.
"""

import functools
import json
import string
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section
from nearfirst.data.conversation import Instance, Message, Part
from nearfirst.data.naming import source_of, unique_ids
from nearfirst.data.readers.json_rows import require
from nearfirst.data.settings import Dataset, SampleSettings

FILES = ("splits/default/*_tasks.txt", "tasks/*.json")

Fits = Callable[[str], bool]
"""Whether a prompt is within the limit of tokens."""

_LISTS: dict[Part, str] = {"train": "train_tasks.txt", "unseen": "test_tasks.txt"}
_CHECKOUT = "the path must be a NIV2 checkout, with tasks/ and splits/default/"


class PromptSettings(Section):
    """What a task's prompt holds (Table 1)."""

    task_name: bool = Field(False, description="Begin with the name of the task.")
    definition: bool = Field(True, description="Give the task's definition.")
    positive_examples: NonNegativeInt = Field(2, description="Most positive examples.")
    negative_examples: NonNegativeInt = Field(0, description="Most negative examples.")
    explanations: bool = Field(False, description="Explain the examples.")
    source_tokens: PositiveInt = Field(
        1024,
        description="Tokens of the base model: an example is kept while the whole prompt fits.",
    )
    eval_instances: PositiveInt | None = Field(
        100, description="Only the first instances of an unseen task are tested; null: all."
    )


class Settings(Dataset):
    """Super-NaturalInstructions v2: a checkout with `tasks/` and `splits/default/`."""

    format: Literal["niv2"] = Field("niv2", description="Published form.")
    needs_tokenizer: ClassVar[bool] = True
    prompt: PromptSettings = PromptSettings()
    sample: SampleSettings = SampleSettings()


def read(settings: Settings, path: Path, fits: Fits) -> Iterator[Instance]:
    """Yield the instances of the listed tasks, sorted by task name, in each file's order.

    A message holds the bare input and the first output; `expand` builds the whole prompt. All
    outputs are references. An instance without an `id` (old revisions) is called `task-row`;
    repeated ids are numbered as in `naming.unique_ids`. A task's source is the first of its
    `Source`, or `naming.source_of` its name where there is none. Memory holds one file at a time.

    Parameters
    ----------
    path
        The checkout.
    settings
        What the prompt holds (Table 1), and how many instances of an unseen task are read: NIV2
        evaluates on the first 100, which are balanced by label.
    fits
        Whether a whole prompt is within the limit.

    Raises
    ------
    InputError
        If the path is no checkout, a list names a task twice or one without a file, or a file is
        not of the published form: file, instance and key are named.
    """
    parts = _parts(path)
    tasks = (_task(path, name, part, settings, fits) for name, part in sorted(parts.items()))
    return unique_ids(instance for task in tasks for instance in task)


def _parts(path: Path) -> dict[str, Part]:
    """Return the part of each listed task."""
    parts: dict[str, Part] = {}
    for part, name in _LISTS.items():
        file = path / "splits" / "default" / name
        if not file.is_file():
            raise InputError(f"{file}: no such file; {_CHECKOUT}")
        lines = file.read_text(encoding="utf-8", errors="replace")
        tasks = [line.strip() for line in lines.splitlines()]
        for task in filter(None, tasks):
            if task in parts:
                raise InputError(
                    f"{file}: task '{task}' is listed twice, here or in {_LISTS['train']}; "
                    "take it off one list"
                )
            if Path(task).name != task or "\0" in task:
                raise InputError(
                    f"{file}: task {task!r} is no name of a file in tasks/; take it off the list"
                )
            if not _file(path, task).is_file():
                raise InputError(
                    f"{file}: task '{task}' has no file {_file(path, task)}; complete the "
                    "checkout, or take the task off the list"
                )
            parts[task] = part
    return parts


def _file(path: Path, task: str) -> Path:
    return path / "tasks" / f"{task}.json"


def _task(path: Path, name: str, part: Part, settings: Settings, fits: Fits) -> Iterator[Instance]:
    file = _file(path, name)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file}: no valid JSON ({error}); copy or check it out again") from None
    require(content, ["Instances"], str(file))
    instances = _list(content, "Instances", str(file))
    options = settings.prompt
    head = _head(content, name, options, str(file))
    examples = (
        _examples(content, "Positive", options.positive_examples, options, str(file)),
        _examples(content, "Negative", options.negative_examples, options, str(file)),
    )
    source = _source(content, name)
    # In another split a task that is published as unseen may be trained on.
    is_tested = part == "unseen" and settings.sample.split == "published"
    for number, row in enumerate(instances, start=1):
        if is_tested and options.eval_instances and number > options.eval_instances:
            return
        where = f"{file}: instance {number}"
        require(row, ("input", "output"), where)
        question, answers = _text(row, "input", where), _outputs(row, where)
        id_ = row.get("id")
        yield Instance(
            id=f"{name}-{number}" if id_ is None else _clean(str(id_)),
            task=name,
            messages=_exchange(question, answers),
            dropped=0,
            where=where,
            references=tuple(filter(None, answers)),
            source=source,
            part=part,
            expand=functools.partial(_prompt, head, examples, question, fits),
        )


def _exchange(question: str, answers: Sequence[str]) -> list[Message]:
    # An empty question is one: the definition is asked.
    if not answers or not answers[0]:
        return []
    return [
        Message(role="user", content=question),
        Message(role="assistant", content=answers[0]),
    ]


def _prompt(head: str, examples: Sequence[Sequence[str]], question: str, fits: Fits) -> str:
    """Return head, as many examples of each kind as fit, and the question."""
    tail = f"Now complete the following example -\n{_line('Input', question)}Output: "
    body = head
    for of_kind in examples:
        for example in of_kind:
            if not fits(body + example + tail):
                break
            body += example
    return body + tail


def _head(content: dict[str, Any], name: str, options: PromptSettings, where: str) -> str:
    head = f"{name}. " if options.task_name else ""
    if options.definition:
        require(content, ["Definition"], where)
        definition = content["Definition"]
        if isinstance(definition, list) and definition:
            definition = definition[0]
        if not isinstance(definition, str):
            raise InputError(f"{where}: 'Definition' must be a text or a list of texts")
        head += f"{_line('Definition', _clean(definition))}\n"
    return head


def _examples(
    content: dict[str, Any], kind: str, most: int, options: PromptSettings, where: str
) -> list[str]:
    """Return the texts of the first examples of a kind."""
    if most == 0:
        return []
    key = f"{kind} Examples"
    require(content, [key], where)
    texts = []
    for number, example in enumerate(_list(content, key, where)[:most], start=1):
        at = f"{where}: '{key}', example {number}"
        require(example, ("input", "output"), at)
        text = f" {kind} Example {number} -\n{_line('Input', _text(example, 'input', at))}"
        text += _line(" Output", _text(example, "output", at))
        if options.explanations and example.get("explanation") is not None:
            text += _line(" Explanation", _text(example, "explanation", at))
        texts.append(f"{text}\n")
    return texts


def _line(label: str, text: str) -> str:
    line = f"{label}: {text}"
    return line + ("\n" if line[-1] in string.punctuation else ".\n")


def _source(content: dict[str, Any], name: str) -> str:
    sources = content.get("Source")
    first = sources[0] if isinstance(sources, list) and sources else sources
    return first.strip().lower() if isinstance(first, str) and first.strip() else source_of(name)


def _outputs(row: dict[str, Any], where: str) -> list[str]:
    outputs = row["output"]
    outputs = [outputs] if isinstance(outputs, str) else outputs
    if not isinstance(outputs, list) or not all(isinstance(text, str) for text in outputs):
        raise InputError(f"{where}: 'output' must be a text or a list of texts")
    return [_clean(text) for text in outputs]


def _text(row: dict[str, Any], key: str, where: str) -> str:
    text = row[key]
    if not isinstance(text, str):
        raise InputError(f"{where}: '{key}' is {type(text).__name__}, not text")
    return _clean(text)


def _clean(text: str) -> str:
    """Return a stripped text; half a surrogate pair, which is no character, becomes `?`."""
    return text.strip().encode("utf-8", "replace").decode("utf-8")


def _list(content: dict[str, Any], key: str, where: str) -> list[Any]:
    value = content[key]
    if not isinstance(value, list):
        raise InputError(f"{where}: '{key}' is {type(value).__name__}, not a list")
    return value
