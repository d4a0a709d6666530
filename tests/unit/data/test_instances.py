"""The order in which an arrangement puts instances."""

from pathlib import Path

import pyarrow as pa
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ARRANGEMENT, write_table
from nearfirst.data.instances import rows_in_order


def order(folder: Path, positions: list[int], ids: str) -> list[int]:
    columns = {"position": positions, "id": list("abc"), "round": [None] * 3}
    write_table(pa.table(columns, schema=ARRANGEMENT), folder / "A.parquet")
    return rows_in_order(folder / "A.parquet", list(ids), Path("I.parquet"))


def test_positions_say_the_order(tmp_path: Path) -> None:
    assert order(tmp_path, [2, 0, 1], "xabc") == [2, 3, 1]
    with pytest.raises(InputError, match=r"A\.parquet: the id 'b' is not in I\.parquet"):
        order(tmp_path, [2, 0, 1], "ac")
