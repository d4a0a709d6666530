"""The data set, test set, arrangement and seed that a table of results or a run belongs to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.common.parquet import open_parquet

KEYS = ("dataset", "test", "arrangement", "seed")

RUN = "run.json"
"""File in a folder of checkpoints that identifies their run."""

RUN_KEYS = (
    *("dataset", "arrangement", "seed", "pool", "rounds", "embedded", "cut", "distinct"),
    *("trained", "tokens", "without_label", "skipped_steps", "content"),
)
"""Keys of `RUN`.

`pool`: size of the pool; `rounds`: rounds of TMA; `embedded`, `cut`, `distinct`: texts of the pool,
texts that the encoder truncates, distinct embeddings; `trained`: training instances; `tokens`:
tokens read from them, over all epochs; `without_label`: instances that truncation left without a
label; `skipped_steps`: steps so far whose float16 gradients overflowed; `content`: a digest of the
settings and of each step's data: runs that share it differ only by rounding.
"""


def read_identity(path: Path) -> dict[str, str]:
    """Return the `KEYS` and `RUN_KEYS` in a table's metadata; there may be none.

    Raises InputError if the file is missing or damaged.
    """
    with open_parquet(path) as file:
        metadata = file.schema_arrow.metadata or {}
    keys = dict.fromkeys((*KEYS, *RUN_KEYS))
    return {key: metadata[key.encode()].decode() for key in keys if key.encode() in metadata}


def write_run(
    folder: Path, facts: Mapping[str, str], weights: Mapping[str, str] | None = None
) -> None:
    """Write the known `RUN_KEYS` beside the checkpoints in a folder.

    `weights` holds the SHA-256 of each checkpoint's file, `step-000010/model.safetensors`.
    """
    run: dict[str, object] = {key: facts[key] for key in RUN_KEYS if key in facts}
    if weights:
        run["weights"] = dict(weights)
    with writing(folder / RUN) as temporary:
        temporary.write_text(json.dumps(run) + "\n")


def read_run(folder: Path) -> dict[str, str]:
    """Return the facts written by `write_run`; {} for checkpoints of another program.

    Raises InputError if the file is damaged.
    """
    run = _read(folder)
    return {key: str(run[key]) for key in RUN_KEYS if key in run}


def written_weights(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each checkpoint's file, as `read_run` returns the facts."""
    weights: dict[str, str] = _read(folder).get("weights", {})
    return weights


def _read(folder: Path) -> dict[str, Any]:
    path = folder / RUN
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise InputError(
            f"{path}: not a JSON object; delete the folder {folder} to train it again"
        ) from None
