"""The tasks of a data set and its usable rows, found in one pass."""

from array import array
from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Part

DROPPED = "turns at the end left out (no answer follows)"
MAX_KINDS = 50
"""Number of kinds of unused content that are counted separately."""


@dataclass
class Inventory:
    """The usable rows of each task, by index, its side of the published split and its source.

    `parts` is empty if there is no published split. `unused` counts each kind of unusable row, turn
    or column, and holds its first location. `total` counts all rows.
    """

    rows: dict[str, MutableSequence[int]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    total: int = 0
    unused: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add_unused(self, kind: str, where: str, count: int = 1) -> None:
        """Count content that is not used."""
        if kind not in self.unused and len(self.unused) >= MAX_KINDS:
            kind = "others"
        before, first = self.unused.get(kind, (0, where))
        self.unused[kind] = before + count, first

    def warnings(self) -> Iterator[str]:
        """Yield a line for each kind of unused content."""
        for kind, (count, first) in self.unused.items():
            times = "once" if count == 1 else f"{count} times"
            yield f"{kind}: {times} in {self.total} rows, the first is {first}"


def take_inventory(instances: Iterable[Instance], *, skip_unusable: bool) -> Inventory:
    """List the usable rows of every task.

    Raises InputError if a row has no question with an answer, or another fault, unless
    `skip_unusable`, or if the name of its task contains a carriage return.
    """
    result = Inventory()
    for number, instance in enumerate(instances):
        result.total += 1
        if "\r" in instance.task:
            raise InputError(
                f"{instance.where}: the task {instance.task!r} holds a carriage return, which a "
                "CSV file cannot represent; rename it"
            )
        if not instance.messages:
            fault = instance.fault or "no question with an answer, both not empty"
            if not skip_unusable:
                raise InputError(
                    f"{instance.where} (id '{instance.id}'): {fault}; fix the row, or leave out "
                    "such rows: sample.unusable: skip (--unusable skip)"
                )
            result.add_unused(f"rows left out ({fault})", instance.where)
            continue
        if instance.dropped:
            result.add_unused(DROPPED, instance.where, instance.dropped)
        for unused in instance.unused:
            result.add_unused(f"{unused} is not used", instance.where)
        # Eight bytes per row, because all of P3 has a hundred million rows.
        result.rows.setdefault(instance.task, array("q")).append(number)
        result.sources.setdefault(instance.task, instance.source)
        if instance.part:
            result.parts[instance.task] = instance.part
    return result
