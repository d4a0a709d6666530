"""The order in which an arrangement puts instances."""

from pathlib import Path

import pyarrow as pa
import pytest

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ARRANGEMENT, write_table
from nearfirst.data.instances import rows_in_order


def written(path: Path, positions: list[int | None]) -> Path:
    columns = {"position": positions, "id": list("abc"), "round": [None] * 3}
    write_table(pa.table(columns, schema=ARRANGEMENT), path)
    return path


def test_positions_say_the_order(tmp_path: Path) -> None:
    path = written(tmp_path / "A.parquet", [2, 0, 1])
    assert rows_in_order(path, list("xabc"), Path("I.parquet")) == [2, 3, 1]


@pytest.mark.parametrize("positions", [[0, 0, 1], [0, None, 1], [1, 2, 3], [0, 1, 3]])
def test_positions_that_say_no_order_are_refused(
    tmp_path: Path, positions: list[int | None]
) -> None:
    path = written(tmp_path / "A.parquet", positions)
    with pytest.raises(InputError, match=r"A\.parquet: the positions are not 0 to 2, each once"):
        rows_in_order(path, list("abc"), Path("I.parquet"))
