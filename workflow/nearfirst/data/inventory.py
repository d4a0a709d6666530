"""What one pass over a data set finds: its tasks and the rows that can be used."""

from array import array
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass, field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Part


@dataclass
class Inventory:
    """Of each task the row numbers of its usable instances, its side of the split and its source.

    `parts` is empty if there is no published split. `dropped_turns` were left out of the usable
    instances; `unusable` rows, of a `total`, have no exchange.
    """

    rows: dict[str, MutableSequence[int]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    total: int = 0
    unusable: int = 0
    dropped_turns: int = 0


def take_inventory(instances: Iterable[Instance], *, skip_unusable: bool) -> Inventory:
    """List the usable rows of every task.

    Raises InputError if a conversation has no assistant turn with a question before it and
    `skip_unusable` is false, or if the name of its task holds a carriage return.
    """
    found = Inventory()
    for number, instance in enumerate(instances):
        found.total += 1
        if "\r" in instance.task:
            raise InputError(
                f"{instance.where}: the task {instance.task!r} holds a carriage return, which a "
                "CSV file cannot give back; rename it"
            )
        if not instance.messages:
            if not skip_unusable:
                raise InputError(
                    f"{instance.where} (id '{instance.id}'): no question with an answer, both not "
                    "empty; mend the row, or leave such rows out with `sample.unusable: skip`"
                )
            found.unusable += 1
            continue
        found.dropped_turns += instance.dropped
        # Eight bytes a row: the whole of P3 has a hundred million rows.
        found.rows.setdefault(instance.task, array("q")).append(number)
        found.sources.setdefault(instance.task, instance.source)
        if instance.part:
            found.parts[instance.task] = instance.part
    return found
