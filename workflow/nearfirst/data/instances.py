"""Tables of instances as the stages read them."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ARRANGEMENT, INSTANCES, read_table
from nearfirst.data.conversation import Message


def read_instances(path: Path) -> pa.Table:
    """Read an instance table.

    Raises
    ------
    InputError
        What `read_table` raises, or if a row has no task or does not begin with a user and an
        assistant turn.
    """
    table = read_table(path, INSTANCES)
    # Tables of similarity give the empty name to the whole test set.
    for row, task in enumerate(table["task"].to_pylist()):
        if not task:
            raise InputError(f"{path}: row {row} (id '{table['id'][row]}') has no task")
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


def text_of(messages: Sequence[Message]) -> str:
    """Return `{instruction} {answer}` of the first exchange, the text that is compared (B.3)."""
    return f"{messages[0]['content']} {messages[1]['content']}"


def rows_in_order(arrangement: Path, ids: Sequence[str], instances: Path) -> list[int]:
    """Return the rows of the training instances in an arrangement's order.

    Parameters
    ----------
    arrangement
        An arrangement (Parquet); it may leave instances out.
    ids, instances
        Ids of the training instances, and where they stand.

    Raises
    ------
    InputError
        What `read_table` raises, or if the arrangement names an id that is not there, or its
        positions have a gap or stand twice.
    """
    place = {id_: row for row, id_ in enumerate(ids)}
    table = read_table(arrangement, ARRANGEMENT).sort_by("position")
    if table["position"].to_pylist() != list(range(table.num_rows)):
        raise InputError(
            f"{arrangement}: the positions are not 0 to {table.num_rows - 1}, each once; arrange "
            "again"
        )
    order = table["id"].to_pylist()
    missing = [id_ for id_ in order if id_ not in place]
    if missing:
        raise InputError(
            f"{arrangement}: {len(missing)} ids are not in {instances}, the first is "
            f"'{missing[0]}'; arrange the embeddings of these very instances"
        )
    return [place[id_] for id_ in order]


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
