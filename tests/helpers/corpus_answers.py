"""What the generated tasks ask, read back from their text."""

import re
import string

from nearfirst.corpus.corpus import all_tasks
from nearfirst.corpus.wording import word_list

TASKS = {task.name: task for task in all_tasks()}

# A number parser of its own, so that a mistake in number_word cannot hide.
NUMBERS = dict(
    zip(
        word_list(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy "
            "eighty ninety"
        ),
        [*range(20), *range(20, 100, 10)],
        strict=True,
    )
)


def number(word: str) -> int:
    return sum(NUMBERS[part] for part in word.split("-"))


def numbers_in(text: str) -> list[int]:
    tokens = re.findall(r"[a-z]+(?:-[a-z]+)?", text.lower())
    return [number(t) for t in tokens if all(part in NUMBERS for part in t.split("-"))]


def fields_of(name: str, instruction: str) -> dict[str, str]:
    """Read the fields back out of an instruction with the phrasing that made it."""
    for phrasing in TASKS[name].phrasings:
        pattern, seen = "", set()
        for literal, field, _, _ in string.Formatter().parse(phrasing):
            pattern += re.escape(literal)
            if field:
                pattern += f"(?P={field})" if field in seen else f"(?P<{field}>.+?)"
                seen.add(field)
        if match := re.fullmatch(pattern, instruction, flags=re.DOTALL):
            return match.groupdict()
    raise AssertionError(f"no phrasing of {name} reads {instruction!r}")
