"""The table of answers, and the checks of all stages that judge them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import read_table

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


def read_answers(path: Path) -> pa.Table:
    """Read the ANSWERS of a generations table, with its metadata.

    Raises InputError as `read_table`, or if a value is null or a step has an id twice.
    """
    table = read_table(path, ANSWERS, unique=None)
    for name in ANSWERS.names:
        if table[name].null_count:
            row = pc.index(table[name].is_null(), True).as_py()
            raise InputError(
                f"{path}: row {row} (step {table['step'][row]}, id '{table['id'][row]}') has no "
                f"{name}; generate again"
            )
    counts = table.group_by(["step", "id"]).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1)).to_pylist()
    if repeated:
        first = repeated[0]
        raise InputError(
            f"{path}: step {first['step']}, id '{first['id']}' is in {first['count_all']} "
            "rows; generate again"
        )
    return table


def check_instances(
    answers: pa.Table, answers_path: Path, instances: pa.Table, instances_path: Path
) -> None:
    """Raise InputError if the instance of an answer is missing or belongs to another task."""
    tasks = dict(zip(instances["id"].to_pylist(), instances["task"].to_pylist(), strict=True))
    answered = dict.fromkeys(
        zip(answers["id"].to_pylist(), answers["task"].to_pylist(), strict=True)
    )
    missing = list(dict.fromkeys(id_ for id_, _ in answered if id_ not in tasks))
    if missing:
        raise InputError(
            f"{answers_path}: {len(missing)} ids are not in {instances_path}, the first is "
            f"'{missing[0]}'; give the instances that were answered, or generate again"
        )
    for id_, task in answered:
        if task != tasks[id_]:
            raise InputError(
                f"{answers_path}: id '{id_}' is of task '{task}', but in {instances_path} of "
                f"'{tasks[id_]}'; give the instances that were answered, or generate again"
            )
