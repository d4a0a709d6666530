"""The prompts of NIV2, in the layout of its own code (Tk-Instruct).

The published experiments use that layout as it is, stray spaces included:

- texts are stripped, and those of the prompt that end in no ASCII punctuation get a full stop (an
  empty input becomes `Input: .`);
- a blank line stands after the definition and after each example; ` Positive Example 1 -`,
  ` Output:` and ` Explanation:` of an example begin with a space; the prompt ends in `Output: `;
- of several definitions the first is given;
- examples are tried in order, and after the first that does not fit no other of its kind is.
"""

import string
from collections.abc import Callable
from typing import Any

from pydantic import Field, NonNegativeInt, PositiveInt

from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section
from nearfirst.data.readers.json_rows import take

Fits = Callable[[str], bool]
"""Returns whether a prompt is within the limit of tokens."""


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


class Prompt:
    """Builds the prompts of one task, given the content of its file and its name.

    Raises InputError if the file lacks something that the settings ask for, or has it in another
    form.
    """

    def __init__(self, task: Any, name: str, settings: PromptSettings, where: str) -> None:
        self._settings = settings
        self._head = f"{name}. " if settings.task_name else ""
        if settings.definition:
            definitions = texts(task, "Definition", where)
            if not definitions:
                raise InputError(f"{where}: 'Definition' is an empty list")
            self._head += f"{_line('Definition', definitions[0])}\n"
        self._examples = [
            self._of_kind(task, "Positive", settings.positive_examples, where),
            self._of_kind(task, "Negative", settings.negative_examples, where),
        ]

    def _of_kind(self, task: Any, kind: str, most: int, where: str) -> list[str]:
        """Return the texts of the first examples of a kind."""
        key = f"{kind} Examples"
        found = []
        for number, example in enumerate(take(task, key, list, where)[:most] if most else [], 1):
            at = f"{where}: '{key}', example {number}"
            text = f" {kind} Example {number} -\n{_line('Input', take(example, 'input', str, at))}"
            text += _line(" Output", take(example, "output", str, at))
            if self._settings.explanations and example.get("explanation") is not None:
                text += _line(" Explanation", take(example, "explanation", str, at))
            found.append(f"{text}\n")
        return found

    def build(self, question: str, fits: Fits) -> str:
        """Return definition, as many examples of each kind as fit, and the question."""
        tail = f"Now complete the following example -\n{_line('Input', question)}Output: "
        body = self._head
        for of_kind in self._examples:
            for example in of_kind:
                if not fits(body + example + tail):
                    break
                body += example
        return body + tail


def clean(text: str) -> str:
    """Return a text stripped; half a surrogate pair, which is not a character, becomes `?`."""
    return text.strip().encode("utf-8", "replace").decode("utf-8")


def texts(row: Any, key: str, where: str) -> list[str]:
    """Return the texts of a key that holds one or a list. Raises InputError if it does not."""
    found = take(row, key, object, where)
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise InputError(f"{where}: '{key}' must be a text or a list of texts")
    return [clean(text) for text in found]


def _line(label: str, text: str) -> str:
    line = f"{label}: {clean(text)}"
    return line + ("\n" if line[-1] in string.punctuation else ".\n")
