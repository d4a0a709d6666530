"""Tables of instances as the stages read them."""

from pathlib import Path

import pyarrow as pa

from nearfirst.data.conversation import Message
from nearfirst.errors import InputError
from nearfirst.tables import INSTANCES, read_table


def read_instances(path: Path) -> pa.Table:
    """Read an instance table.

    Raises
    ------
    InputError
        What `read_table` raises, or if a row does not begin with a user and an assistant turn.
    """
    table = read_table(path, INSTANCES)
    for row, messages in enumerate(conversations(table)):
        roles = [message and message["role"] for message in (messages or [])[:2]]
        if roles != ["user", "assistant"]:
            raise InputError(
                f"{path}: row {row} (id '{table['id'][row]}') begins with the turns {roles}, "
                "expected user and assistant"
            )
        if any(message is None or message["content"] is None for message in messages):
            raise InputError(f"{path}: row {row} (id '{table['id'][row]}') has a turn without text")
    return table


def conversations(table: pa.Table) -> list[list[Message]]:
    """Return the messages of every row."""
    result: list[list[Message]] = table["messages"].to_pylist()
    return result


def same_ids(expected: list[str], found: list[str], expected_in: Path, found_in: Path) -> None:
    """Check that two tables hold the same ids in the same order.

    Raises
    ------
    InputError
        Names the first row that differs.
    """
    if expected == found:
        return
    if len(expected) != len(found):
        raise InputError(
            f"{found_in}: {len(found)} rows, but {expected_in} has {len(expected)}; "
            "make the one anew from the other"
        )
    row = next(i for i, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b)
    raise InputError(
        f"{found_in}: row {row} has id '{found[row]}', but {expected_in} has '{expected[row]}'; "
        "make the one anew from the other"
    )
