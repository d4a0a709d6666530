"""Tasks of lm-evaluation-harness at checkpoints, document by document.

Gao et al., 2021, https://github.com/EleutherAI/lm-evaluation-harness. The package is optional: it
brings some thirty others along.
"""

import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.harness.settings import HarnessSettings
from nearfirst.metrics import HARNESS
from nearfirst.model.checkpoints import step_of, stream_weights

PYTHON_SEED, SEED = 0, 1234
"""Those of a call of `lm_eval`: of Python's generator, and of all others and of the examples."""

Tasks = dict[str, Any]


def package(module: str) -> Any:
    """Return a module of lm_eval. Raises InputError if the package is not installed."""
    try:
        return import_module(f"lm_eval.{module}")
    except ImportError as error:
        raise InputError(
            f"a metric {HARNESS}TASK needs the package lm_eval ({error}); docs/elsewhere.md says "
            "how to install it"
        ) from None


def load_tasks(name: str, settings: HarnessSettings) -> Tasks:
    """Return a task, or those of a group, by name, with their documents.

    Raises InputError if there is no such task, or it cannot be loaded.
    """
    manager = package("tasks").TaskManager
    # To look through the thousands of tasks that the package has takes longer than a small one.
    found = manager(include_path=settings.include, include_defaults=False)
    if name not in found.all_tasks:
        found = manager(include_path=settings.include)
    if name not in found.all_tasks:
        raise InputError(
            f"{HARNESS}{name}: neither lm_eval nor harness.include ({settings.include}) has such a "
            f"task{did_you_mean(name, found.all_tasks)}"
        )
    try:
        tasks: Tasks = found.load([name])["tasks"]
    except Exception as error:  # whatever is in a YAML file, its functions and its data
        raise InputError(f"{HARNESS}{name}: the task cannot be loaded ({error})") from error
    for task in tasks.values():
        # As `lm_eval --num_fewshot` does: a task that says 0 keeps it.
        own = task.get_config("num_fewshot")
        if own is None or (settings.shots is not None and own != 0):
            task.set_config(key="num_fewshot", value=settings.shots or 0)
    return tasks


def evaluate(
    model: Any,
    tokenizer: Any,
    checkpoints: Sequence[Sequence[Path]],
    name: str,
    tasks: Tasks,
    settings: HarnessSettings,
    average: int = 1,
) -> pa.Table:
    """Return the values of every document of some tasks at each checkpoint.

    The checkpoints' weights replace those of the model, as in `evaluate.losses.evaluate`. Columns:
    step, id (`TASK/NUMBER`), task, and those of `_values`; the mean over the documents is what
    lm_eval reports.

    Raises
    ------
    InputError
        If a checkpoint is damaged, or the tasks have no metric that is one number for a document.
    """
    half = settings.precision == "bfloat16"
    harness = package("models.huggingface").HFLM(
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=settings.batch_size,
        mixed_precision_dtype="bfloat16" if half else None,
    )
    parts: list[pa.Table] = []
    begun = time.monotonic()
    with closing(stream_weights(model, checkpoints, average)) as loaded:
        for *_, folder in loaded:
            random.seed(PYTHON_SEED)
            np.random.seed(SEED)
            torch.manual_seed(SEED)
            for task in tasks.values():
                task.set_fewshot_seed(seed=SEED)
            found = package("evaluator").evaluate(
                harness,
                {"tasks": tasks},
                limit=settings.limit,
                bootstrap_iters=0,
                apply_chat_template=settings.chat_template,
                fewshot_as_multiturn=settings.chat_template,
            )
            rows = [
                {"id": f"{task}/{number}", "task": task, **values}
                for task, samples in sorted(found["samples"].items())
                for number, values in _values(samples)
            ]
            columns = _columns(rows, name)
            step = pa.array([step_of(folder)] * len(rows), pa.int32())
            parts.append(pa.table({"step": step, **columns}))
            now = time.monotonic()
            mean = np.mean(columns[f"{HARNESS}{name}"])
            logging.info("step %d: mean %.4f (%.1f s)", step_of(folder), mean, now - begun)
            begun = now
    return pa.concat_tables(parts)


def _values(samples: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the number of each document of a task and its values by metric.

    A task may filter answers in several ways; the metric of any but the first is `METRIC,FILTER`.
    Metrics that are no mean of numbers (perplexity of a corpus, F1) are left out.
    """
    found: dict[int, dict[str, float]] = {}
    for sample in samples:
        other = "" if sample["filter"] == samples[0]["filter"] else f",{sample['filter']}"
        found.setdefault(sample["doc_id"], {}).update(
            {
                f"{metric}{other}": float(sample[metric])
                for metric in sample["metrics"]
                if isinstance(sample[metric], bool | int | float | np.number)
            }
        )
    yield from sorted(found.items())


def _columns(rows: list[dict[str, Any]], name: str) -> dict[str, pa.Array]:
    """Return the columns of documents: metrics that all have, the first under TASK alone too."""
    metrics = [key for key in rows[0] if all(key in row for row in rows)][2:]
    if not metrics:
        raise InputError(
            f"{HARNESS}{name}: it has no metric that is a number for each document and that all of "
            "its tasks have"
        )
    columns = {key: pa.array([row[key] for row in rows]) for key in ("id", "task")}
    named = {f"{HARNESS}{name}": metrics[0], **{f"{HARNESS}{name}:{key}": key for key in metrics}}
    return columns | {
        column: pa.array([row[key] for row in rows], pa.float32()) for column, key in named.items()
    }
