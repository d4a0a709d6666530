"""Tasks of lm-evaluation-harness at checkpoints, document by document.

Gao et al., 2021, https://github.com/EleutherAI/lm-evaluation-harness. The package is optional, as
it installs some thirty others.
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
from nearfirst.model import precision
from nearfirst.model.checkpoints import step_of, stream_weights

PYTHON_SEED, SEED = 0, 1234
"""Seeds that `lm_eval` sets: of Python's generator, and of all others and the few-shot examples."""

Tasks = dict[str, Any]


def import_harness(module: str) -> Any:
    """Import a module of lm_eval. Raises InputError if the package is not installed."""
    try:
        return import_module(f"lm_eval.{module}")
    except ImportError as error:
        raise InputError(
            f"a metric {HARNESS}TASK needs the package lm_eval ({error}); docs/elsewhere.md says "
            "how to install it"
        ) from None


def load_tasks(name: str, settings: HarnessSettings) -> Tasks:
    """Load a task, or the tasks of a group, with their documents, by name.

    Raises InputError if there is no such task, or it cannot be loaded.
    """
    task_manager = import_harness("tasks").TaskManager
    # Listing the thousands of tasks of the package takes longer than running a small one.
    manager = task_manager(include_path=settings.include, include_defaults=False)
    if name not in manager.all_tasks:
        manager = task_manager(include_path=settings.include)
    if name not in manager.all_tasks:
        raise InputError(
            f"{HARNESS}{name}: neither lm_eval nor harness.include ({settings.include}) has such a "
            f"task{did_you_mean(name, manager.all_tasks)}"
        )
    try:
        tasks: Tasks = manager.load([name])["tasks"]
    except Exception as error:  # a YAML file may run any code and load any data
        raise InputError(f"{HARNESS}{name}: the task cannot be loaded ({error})") from error
    for task in tasks.values():
        # Like `lm_eval --num_fewshot`: a task that sets 0 keeps it.
        shots = task.get_config("num_fewshot")
        if shots is None or (settings.shots is not None and shots != 0):
            task.set_config(key="num_fewshot", value=settings.shots or 0)
    return tasks


def evaluate(
    model: Any,
    tokenizer: Any,
    checkpoints: Sequence[Sequence[Path]],
    name: str,
    tasks: Tasks,
    settings: HarnessSettings,
) -> Iterator[pa.Table]:
    """Yield a table with the metrics of every document of the tasks for each checkpoint.

    The checkpoints' weights replace those of the model, as in `evaluate.losses.evaluate`. Columns:
    step, id (`TASK/NUMBER`), task, and the metrics, whose means over documents lm_eval reports.

    Raises InputError if a checkpoint is damaged, or if the tasks have no metric with one number per
    document.
    """
    harness = import_harness("models.huggingface").HFLM(
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=settings.batch_size,
        mixed_precision_dtype="bfloat16" if settings.precision == "bfloat16" else None,
    )
    started = time.monotonic()
    with closing(stream_weights(model, checkpoints)) as loaded:
        for *_, folder in loaded:
            random.seed(PYTHON_SEED)
            np.random.seed(SEED)
            torch.manual_seed(SEED)
            for task in tasks.values():
                task.set_fewshot_seed(seed=SEED)
            with precision.tf32(settings.precision):
                results = import_harness("evaluator").evaluate(
                    harness,
                    {"tasks": tasks},
                    limit=settings.limit,
                    bootstrap_iters=0,
                    apply_chat_template=settings.chat_template,
                    fewshot_as_multiturn=settings.chat_template,
                )
            rows = [
                {"id": f"{task}/{number}", "task": task, **values}
                for task, samples in sorted(results["samples"].items())
                for number, values in sorted(_values_of_documents(samples).items())
            ]
            columns = _make_columns(rows, name)
            now = time.monotonic()
            mean = np.mean(columns[f"{HARNESS}{name}"])
            logging.info("step %d: mean %.4f (%.1f s)", step_of(folder), mean, now - started)
            step = pa.array([step_of(folder)] * len(rows), pa.int32())
            yield pa.table({"step": step, **columns})
            started = now


def _values_of_documents(samples: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, float]]:
    """Return the values by metric of each document of a task, by its number.

    If a task filters answers in several ways, metrics of all but the first are `METRIC,FILTER`.
    Metrics that are not a mean over documents (perplexity of a corpus, F1) are left out.
    """
    documents: dict[int, dict[str, float]] = {}
    for sample in samples:
        suffix = "" if sample["filter"] == samples[0]["filter"] else f",{sample['filter']}"
        values = documents.setdefault(sample["doc_id"], {})
        for metric in sample["metrics"]:
            if isinstance(sample[metric], bool | int | float | np.number):
                values[f"{metric}{suffix}"] = float(sample[metric])
    return documents


def _make_columns(rows: list[dict[str, Any]], name: str) -> dict[str, pa.Array]:
    """Return the columns of metrics that all rows have; the first is also named TASK alone."""
    metrics = [key for key in rows[0] if all(key in row for row in rows)][2:]
    if not metrics:
        raise InputError(
            f"{HARNESS}{name}: no metric is a number for each document and common to all its tasks"
        )
    columns = {key: pa.array([row[key] for row in rows]) for key in ("id", "task")}
    for metric in metrics:
        values = pa.array([row[metric] for row in rows], pa.float32())
        columns.setdefault(f"{HARNESS}{name}", values)
        columns[f"{HARNESS}{name}:{metric}"] = values
    return columns
