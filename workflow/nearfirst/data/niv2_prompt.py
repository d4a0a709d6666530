"""The prompts of NIV2, in the format of its official code (Tk-Instruct).

The published experiments use this format, including its stray spaces:

- texts are stripped, and those of the prompt that do not end in ASCII punctuation get a full stop
  (an empty input becomes `Input: .`);
- a blank line follows the definition and each example; ` Positive Example 1 -` and ` Output:` of an
  example begin with a space; the prompt ends with `Output: `;
- of several definitions, the first is used;
- examples are tried in order, up to the first that does not fit.

As in Table 1, there are neither the task's name, nor negative examples, nor explanations.
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
    """What a task's prompt contains (Table 1)."""

    definition: bool = Field(True, description="Include the definition of the task.")
    positive_examples: NonNegativeInt = Field(2, description="Maximum number of positive examples.")
    source_tokens: PositiveInt = Field(
        1024,
        description="Tokens of the base model: examples are added while the whole prompt fits.",
    )


class Prompt:
    """Builds the prompts of one task, given the content of its file.

    Raises InputError if the file lacks a definition or its examples, or has them in another form.
    """

    def __init__(self, task: Any, settings: PromptSettings, where: str) -> None:
        self._head = ""
        if settings.definition:
            definitions = texts(task, "Definition", where)
            if not definitions:
                raise InputError(f"{where}: 'Definition' is an empty list")
            self._head = f"{_line('Definition', definitions[0])}\n"
        self._examples = []
        examples = take(task, "Positive Examples", list, where)[: settings.positive_examples]
        for number, example in enumerate(examples, start=1):
            place = f"{where}: 'Positive Examples', example {number}"
            question = _line("Input", take(example, "input", str, place))
            answer = _line(" Output", take(example, "output", str, place))
            self._examples.append(f" Positive Example {number} -\n{question}{answer}\n")

    def build(self, question: str, fits: Fits) -> str:
        """Return the definition, as many examples as fit, and the question."""
        tail = f"Now complete the following example -\n{_line('Input', question)}Output: "
        body = self._head
        for example in self._examples:
            if not fits(body + example + tail):
                break
            body += example
        return body + tail


def texts(row: Any, key: str, where: str) -> list[str]:
    """Return the texts of a key that holds one or a list. Raises InputError otherwise."""
    content = take(row, key, object, where)
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
        raise InputError(f"{where}: '{key}' must be a text or a list of texts")
    return [text.strip() for text in content]


def _line(label: str, text: str) -> str:
    line = f"{label}: {text.strip()}"
    return line + ("\n" if line[-1] in string.punctuation else ".\n")
