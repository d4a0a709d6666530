"""Configs over the presets, and the messages that refuse them."""

from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError
from nearfirst.config import load

PRESETS = Path(__file__).parents[2] / "workflow/presets"


def nested(key: str, value: object) -> dict[str, Any]:
    """Return a config in which a dotted key has a value."""
    for name in reversed(key.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def refusal(user: dict[str, Any]) -> str:
    """Return the message with which a config is refused."""
    with pytest.raises(InputError) as caught:
        load(user, PRESETS)
    return str(caught.value)
