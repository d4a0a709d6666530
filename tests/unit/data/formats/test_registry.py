"""Formats are found by name; each has what the programs and rules ask of it."""

from pathlib import Path
from typing import get_args

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data import registry


@pytest.mark.parametrize("name", registry.names())
def test_a_format_is_one_module(name: str) -> None:
    module, settings = registry.module(name), registry.settings_class(name)
    assert get_args(settings.model_fields["format"].annotation) == (name,)
    assert isinstance(module.FILES, tuple)
    assert callable(module.read)
    assert settings.__doc__


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "--settings: not a JSON object"),
        ("[1]", "--settings: not a JSON object"),
        ("{}", "format: 'None' is none of chat, flan, niv2, "),
        ('{"format": "flna"}', "sharegpt; did you mean 'flan'?"),
        ('{"format": "registry"}', "format: 'registry' is none of"),
        ('{"format": "../flan"}', "format: '../flan' is none of"),
        ('{"format": "flan", "list": "x"}', "list: "),
    ],
)
def test_settings_that_cannot_be_used(text: str, named: str) -> None:
    with pytest.raises(InputError) as caught:
        registry.parse(text, Path("pool"))
    assert named in str(caught.value)


def test_a_test_set_of_its_own_is_read_as_the_data_unless_the_format_says_otherwise(
    tmp_path: Path,
) -> None:
    settings = registry.parse('{"format": "flan"}', tmp_path)
    with pytest.raises(InputError, match="the folder holds no flan_mini"):
        list(registry.read_test(settings, tmp_path))
