"""What the generated tasks ask, read back from their text."""

import re
import string

from nearfirst.corpus.corpus import all_tasks

TASKS = {task.name: task for task in all_tasks()}
UNSEEN = {name for name, task in TASKS.items() if task.role != "train"}

# A number parser of its own, so that a mistake in number_word cannot hide.
WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
NUMBERS = dict(zip(WORDS.split(), [*range(20), *range(20, 100, 10)], strict=True))


def number(word: str) -> int:
    return sum(NUMBERS[part] for part in word.split("-"))


def numbers_in(text: str) -> list[int]:
    tokens = re.findall(r"[a-z]+(?:-[a-z]+)?", text.lower())
    return [number(t) for t in tokens if all(part in NUMBERS for part in t.split("-"))]


def pattern(phrasing: str) -> re.Pattern[str]:
    """What reads the fields of a phrasing, each named; one that occurs twice is the same twice."""
    text, seen = "", set()
    for literal, field, _, _ in string.Formatter().parse(phrasing):
        text += re.escape(literal)
        if field:
            text += f"(?P={field})" if field in seen else f"(?P<{field}>.+?)"
            seen.add(field)
    return re.compile(text, re.DOTALL)


PATTERNS = {name: [pattern(text) for text in task.phrasings] for name, task in TASKS.items()}


def fields_of(name: str, instruction: str) -> dict[str, str]:
    """Read the fields back out of an instruction with the phrasing that made it."""
    return next(m for p in PATTERNS[name] if (m := p.fullmatch(instruction))).groupdict()


def families_of(question: str) -> set[str]:
    """The families that may have asked a question; none for small talk."""
    return {
        TASKS[name].family
        for name, patterns in PATTERNS.items()
        if any(p.fullmatch(question) for p in patterns)
    }
