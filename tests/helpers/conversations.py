"""What readers of data sets yield, and how they refuse."""

from collections.abc import Callable, Iterable

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance


def texts(instance: Instance) -> list[tuple[str, str]]:
    """Return the (role, content) of the messages."""
    return [(message["role"], message["content"]) for message in instance.messages]


def refusal(read: Callable[[], Iterable[object]]) -> str:
    """Return the one line with which reading to the end is refused."""
    with pytest.raises(InputError) as caught:
        list(read())
    assert "\n" not in str(caught.value)
    return str(caught.value)
