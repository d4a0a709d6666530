"""Rows that no format can use."""

import json
from pathlib import Path
from typing import Any

import pytest

from nearfirst.common.errors import InputError
from nearfirst.data.inventory import take_inventory
from nearfirst.data.registry import FORMATS, read

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
    for test in ("", "test"):
        with pytest.raises(InputError, match=r"pool\.json: row 1 .*half a pair.*unusable: skip"):
            take_inventory(read(settings, path, test=test), skip_unusable=False)
        inventory = take_inventory(read(settings, path, test=test), skip_unusable=True)
        assert [list(rows) for rows in inventory.rows.values()] == [[1, 2, 4]]
        assert [*inventory.unused.values()] == [(2, f"{path}: row 1")]
