"""Instances and their embeddings, for the programs that compare a pool with a test set."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nearfirst.common.embeddings import write_embeddings
from nearfirst.common.parquet import INSTANCES, write_table


@pytest.fixture(scope="session")
def write_side(talk: Any) -> Callable[..., list[str]]:
    """Write both tables of a side and return the flags that name them.

    `write_side(folder, "train", tasks, prompts, embeddings)`
    """

    def write(
        folder: Path, side: str, tasks: Sequence[str], prompts: Sequence[str], embeddings: Any
    ) -> list[str]:
        flags = [f"--{side}-instances", f"{folder}/{side}.parquet"]
        flags += [f"--{side}-embeddings", f"{folder}/{side}_embeddings.parquet"]
        ids = [f"{side}-{i}" for i in range(len(tasks))]
        talks = [talk(prompt, "yes") for prompt in prompts]
        columns = {"id": ids, "task": tasks, "messages": talks, "references": [[]] * len(ids)}
        write_table(pa.table(columns, schema=INSTANCES), Path(flags[1]))
        write_embeddings(ids, np.asarray(embeddings, np.float32), Path(flags[3]))
        return flags

    return write
