"""Names that a published form leaves open: unique ids, and the data set behind a task."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from nearfirst.data.conversation import Instance

_SOURCE = re.compile(r"(?:task\d+_)?([^_/:\-]+)")


def unique_ids(instances: Iterable[Instance]) -> Iterator[Instance]:
    """Give repeated ids a number: the n-th of one is `id#n`, or the next that is free."""
    seen: dict[str, int] = {}  # id to the highest number given to it
    for instance in instances:
        id_ = instance.id
        number = seen.get(id_, 0) + 1
        name = id_ if number == 1 else f"{id_}#{number}"
        while number > 1 and name in seen:
            number += 1
            name = f"{id_}#{number}"
        seen[id_] = number
        seen.setdefault(name, 1)
        yield instance if name == id_ else replace(instance, id=name)


def source_of(task: str) -> str:
    """Guess from a task's name which data set its text comes from.

    The name in lower case, without a leading `task<digits>_`, up to the first of `_ / : -`:
    `task001_quoref_question_generation` and `quoref_Guess_Answer` give `quoref`. It is a heuristic
    of prefixes: `cosmos_qa` gives `cosmos`, and two data sets may begin with the same word.
    """
    found = _SOURCE.match(task.lower())
    return found[1] if found else task.lower()
