"""What readers of data sets yield, and how they refuse."""

from collections.abc import Callable, Iterable

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.inventory import take_inventory


def texts(instance: Instance) -> list[tuple[str, str]]:
    """Return the (role, content) of the messages."""
    return [(message["role"], message["content"]) for message in instance.messages]


def refusal(read: Callable[[], Iterable[Instance]]) -> str:
    """Return the one line with which reading to the end is refused, a row without messages too."""
    with pytest.raises(InputError) as caught:
        take_inventory(read(), skip_unusable=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)
