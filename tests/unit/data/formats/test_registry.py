"""Each format has what the programs and rules ask of it."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.inventory import take_inventory
from nearfirst.data.registry import FORMATS, read, read_test


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


CHAT: dict[str, Any] = {"id": "i", "prompt": "q \N{GRINNING FACE}", "completion": "a"}
TURNS = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
FLAN: dict[str, Any] = {"id": "i", "source": "t", "conversations": TURNS}


@pytest.mark.parametrize(
    ("format_", "good", "half"),
    [
        ("chat", CHAT, {"completion": "a \ud83d"}),
        ("chat", CHAT, {"id": "\udc00"}),
        ("chat", CHAT, {"note": [{"\ud83d": 1}]}),
        ("flan", FLAN, {"source": "t \ud83d"}),
        ("sharegpt", {"items": TURNS}, {"id": "\udc00"}),
    ],
)
def test_a_row_with_half_a_surrogate_pair_is_unusable(
    tmp_path: Path, format_: str, good: dict[str, Any], half: dict[str, Any]
) -> None:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([good | half, good, good, good | half, good]))
    settings = FORMATS.parse(json.dumps({"format": format_, "path": str(path)}))
    for reader in (read, read_test):
        with pytest.raises(InputError, match=r"pool\.json: row 1 .*half a pair.*unusable: skip"):
            take_inventory(reader(settings, path), skip_unusable=False)
        inventory = take_inventory(reader(settings, path), skip_unusable=True)
        assert [list(rows) for rows in inventory.rows.values()] == [[1, 2, 4]]
        assert [*inventory.unused.values()] == [(2, f"{path}: row 1")]
