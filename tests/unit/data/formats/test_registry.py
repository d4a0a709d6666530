"""Each format has what the programs and rules ask of it."""

from pathlib import Path
from typing import get_args

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.registry import FORMATS, read_test


@pytest.mark.parametrize("name", FORMATS.names())
def test_a_format_is_one_module(name: str) -> None:
    module, settings = FORMATS.module(name), FORMATS.settings(name)
    assert get_args(settings.model_fields["format"].annotation) == (name,)
    assert callable(module.files)
    assert callable(module.read)
    assert settings.__doc__


def test_a_test_set_of_its_own_is_read_as_the_data_unless_the_format_says_otherwise(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match="the folder holds no flan_mini"):
        list(read_test(FORMATS.parse('{"format": "flan"}'), tmp_path))
