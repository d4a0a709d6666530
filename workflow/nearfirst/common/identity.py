"""Which data set, test set, arrangement and seed a table of results or a run is of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.common.parquet import open_parquet

KEYS = ("dataset", "test", "arrangement", "seed")

RUN = "run.json"
"""File in a folder of checkpoints that says which run they are of."""

RUN_KEYS = (
    *("dataset", "arrangement", "seed", "pool", "rounds", "embedded", "cut", "distinct"),
    *("trained", "tokens", "without_label", "skipped_steps", "content"),
)
"""Its keys. `pool`: its size; `rounds`, of TMA: how many it has; `embedded`, `cut`, `distinct`:
texts of the pool, how many of them the encoder cuts, and how many embeddings differ; `trained`:
training instances; `tokens`: what was read of them, over all epochs; `without_label`: those of them
that truncation left no label; `skipped_steps`, in float16: steps so far in which gradients
overflowed; `content`: a digest of what each step holds, and of the settings: runs of one content
cannot differ, but by rounding."""


def read_identity(path: Path) -> dict[str, str]:
    """Return those of `KEYS` and `RUN_KEYS` that a table's metadata holds; it may hold none.

    Raises InputError if the file is missing or damaged.
    """
    with open_parquet(path) as file:
        metadata = file.schema_arrow.metadata or {}
    keys = dict.fromkeys((*KEYS, *RUN_KEYS))
    return {key: metadata[key.encode()].decode() for key in keys if key.encode() in metadata}


def write_run(
    folder: Path, facts: Mapping[str, str], weights: Mapping[str, str] | None = None
) -> None:
    """Write which run the checkpoints in a folder are of: those of `RUN_KEYS` that are known.

    `weights` holds the SHA-256 of each checkpoint's file, `step-000010/model.safetensors`.
    """
    run: dict[str, object] = {key: facts[key] for key in RUN_KEYS if key in facts}
    if weights:
        run["weights"] = dict(weights)
    with writing(folder / RUN) as temporary:
        temporary.write_text(json.dumps(run) + "\n")


def read_run(folder: Path) -> dict[str, str]:
    """Return the facts that `write_run` wrote; {} for checkpoints that another program made.

    Raises InputError if the file is damaged.
    """
    run = _read(folder)
    return {key: str(run[key]) for key in RUN_KEYS if key in run}


def written_weights(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each checkpoint's file that `write_run` wrote; {} as `read_run`."""
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
