"""Instances that readers of data sets yield, and messages with which they refuse data."""

from collections.abc import Callable, Iterable

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.inventory import take_inventory


def texts(instance: Instance) -> list[tuple[str, str]]:
    """Return the (role, content) of the messages."""
    return [(message["role"], message["content"]) for message in instance.messages]


def refusal(read: Callable[[], Iterable[Instance]]) -> str:
    """Read to the end, which must fail on an unusable row; return the one-line message."""
    with pytest.raises(InputError) as caught:
        take_inventory(read(), skip_unusable=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)
