"""The table of answers, and a check of all stages that judge them."""

from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError

GENERATIONS = pa.schema(
    [
        ("step", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        ("prediction", pa.string()),
        ("tokens", pa.int32()),
        ("finished", pa.bool_()),
    ]
)
"""Answers; `tokens` counts the generated tokens, including the EOS of a `finished` answer."""
ANSWERS = pa.schema([GENERATIONS.field(name) for name in ("step", "id", "task", "prediction")])
"""The columns of GENERATIONS that are judged."""


def check_instances(
    answers: pa.Table, answers_path: Path, instances: pa.Table, instances_path: Path
) -> None:
    """Raise InputError if the instance of an answer is missing."""
    known = set(instances["id"].to_pylist())
    missing = [id_ for id_ in answers["id"].unique().to_pylist() if id_ not in known]
    if missing:
        raise InputError(
            f"{answers_path}: {len(missing)} ids are not in {instances_path}, the first is "
            f"'{missing[0]}'; give the instances that were answered, or generate again"
        )
