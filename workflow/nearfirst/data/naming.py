"""Names that a published form leaves open: unique ids, and the data set behind a task."""

import re
from collections.abc import Iterable, Iterator

from nearfirst.data.conversation import Instance

_SOURCE = re.compile(r"(?:task\d+_)?([^_/:\-]+)")


def unique_ids(instances: Iterable[Instance]) -> Iterator[Instance]:
    """Give repeated ids a number: the n-th of one is `id#n`, or the next that is free."""
    seen: dict[str, int] = {}  # id to the highest number given to it
    for instance in instances:
        id_ = instance.id
        number = seen.get(id_, 0) + 1
        if number > 1:
            while (name := f"{id_}#{number}") in seen:
                number += 1
            instance.id = name
        seen[id_] = number
        seen.setdefault(instance.id, 1)
        yield instance


def source_of(task: str) -> str:
    """Guess from a task's name which data set its text comes from.

    The name in lower case, without a leading `task<digits>_`, up to the first of `_ / : -`:
    `task001_quoref_question_generation` and `quoref_Guess_Answer` give `quoref`. Only a heuristic:
    `cosmos_qa` gives `cosmos`, and two data sets may begin with the same word.
    """
    found = _SOURCE.match(task.lower())
    return found[1] if found else task.lower()
