"""Rows of the config from JSON, validated by the module that they name."""

from typing import Any

import pytest

from nearfirst.arrange.registry import METHODS
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import Registry
from nearfirst.data.registry import FORMATS


def test_a_row_may_lack_what_is_given() -> None:
    assert FORMATS.parse('{"format": "chat"}', path="pool").path == "pool"
    assert FORMATS.parse('{"format": "chat", "path": "mine"}', path="pool").path == "mine"


@pytest.mark.parametrize(
    ("registry", "text", "message"),
    [
        (FORMATS, "{", "{: not a JSON object"),
        (METHODS, "[1]", r"\[1\]: not a JSON object"),
        (FORMATS, "{}", "format: 'None' is none of chat, flan, "),
        (FORMATS, '{"format": "flna"}', "sharegpt; did you mean 'flan'"),
        (FORMATS, '{"format": "../flan"}', "format: '../flan' is none of"),
        (FORMATS, '{"format": "flan", "list": "x"}', "list: "),
    ],
)
def test_text_that_is_no_row(registry: Registry[Any], text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        registry.parse(text)
