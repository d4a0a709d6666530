"""What one pass over a data set finds: its tasks and the rows that can be used."""

from array import array
from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Part

DROPPED = "turns left out (empty, or a question or an answer without the other)"
KINDS = 50
"""Most kinds of what is not read that are told apart."""


@dataclass
class Inventory:
    """Of each task the row numbers of its usable instances, its side of the split and its source.

    `parts` is empty if there is no published split. `unused` says what of the `total` rows nothing
    reads, to how often and where first: rows that cannot be used, turns, columns.
    """

    rows: dict[str, MutableSequence[int]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    total: int = 0
    unused: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add_unused(self, what: str, where: str, count: int = 1) -> None:
        """Count what is not read."""
        if what not in self.unused and len(self.unused) >= KINDS:
            what = "others"
        before, first = self.unused.get(what, (0, where))
        self.unused[what] = before + count, first

    def warnings(self) -> Iterator[str]:
        """Yield a line for each kind of what is not read."""
        for what, (count, first) in self.unused.items():
            times = "once" if count == 1 else f"{count} times"
            yield f"{what}: {times} in {self.total} rows, the first is {first}"


def take_inventory(instances: Iterable[Instance], *, skip_unusable: bool) -> Inventory:
    """List the usable rows of every task.

    Raises InputError if a row has no question with an answer, or another fault, and `skip_unusable`
    is false, or if the name of its task holds a carriage return.
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
            fault = instance.fault or "no question with an answer, both not empty"
            if not skip_unusable:
                raise InputError(
                    f"{instance.where} (id '{instance.id}'): {fault}; mend the row, or leave such "
                    "rows out with `sample.unusable: skip`"
                )
            found.add_unused(f"rows left out ({fault})", instance.where)
            continue
        if instance.dropped:
            found.add_unused(DROPPED, instance.where, instance.dropped)
        for what in instance.unused:
            found.add_unused(f"{what} is not used", instance.where)
        # Eight bytes a row: the whole of P3 has a hundred million rows.
        found.rows.setdefault(instance.task, array("q")).append(number)
        found.sources.setdefault(instance.task, instance.source)
        if instance.part:
            found.parts[instance.task] = instance.part
    return found
