"""Names that published data lack: unique ids, and the data set behind a task."""

import re
from collections.abc import Iterable, Iterator

from nearfirst.data.conversation import Instance

_SOURCE = re.compile(r"(?:task\d+_)?([^_/:\-]+)")


def unique_ids(instances: Iterable[Instance]) -> Iterator[Instance]:
    """Make ids unique: the n-th occurrence of one becomes `id#n`, or the next free number."""
    highest: dict[str, int] = {}  # number given to each id so far
    for instance in instances:
        id_ = instance.id
        number = highest.get(id_, 0) + 1
        if number > 1:
            while (name := f"{id_}#{number}") in highest:
                number += 1
            instance.id = name
        highest[id_] = number
        highest.setdefault(instance.id, 1)
        yield instance


def source_of(task: str) -> str:
    """Guess from a task's name which data set it was built from.

    This is the lower-case name, without a leading `task<digits>_`, up to the first of `_ / : -`:
    `task001_quoref_question_generation` and `quoref_Guess_Answer` give `quoref`. It is only a
    heuristic: `cosmos_qa` gives `cosmos`, and two data sets may begin with the same word.
    """
    match = _SOURCE.match(task.lower())
    return match[1] if match else task.lower()
