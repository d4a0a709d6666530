"""Reading both sides, and tables that do not belong together."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearfirst.common.embeddings import write_embeddings
from nearfirst.common.errors import InputError
from nearfirst.distance.side import read_sides


def test_read_sides(tmp_path: Path, some_talks: Any, write_instances: Any) -> None:
    instances, train, test = (tmp_path / f"{name}.parquet" for name in ("i", "train", "test"))
    ids = write_instances(instances, some_talks(4))

    def embed(path: Path, ids: list[str], dimension: int) -> None:
        write_embeddings(ids, np.eye(4, dimension, dtype=np.float32), path)

    embed(train, ids, 5)
    embed(test, ids, 5)
    side = read_sides(instances, train, instances, test)[1]
    assert (side.ids, side.tasks) == (ids, ["task-0", "task-1", "task-2", "task-0"])
    embed(test, ids, 4)
    with pytest.raises(InputError, match=f"{train}: 5 dimensions, but {test} has 4"):
        read_sides(instances, train, instances, test)
    embed(test, ids[::-1], 5)
    with pytest.raises(InputError, match=r"test.parquet: its ids, .* are not those of .*i.parquet"):
        read_sides(instances, train, instances, test)
