"""Many short runs from one base model, each in another order: losses early and late.

Model and data are loaded once per process. Each block of runs is kept, so that a killed job
resumes after its last complete blocks. Runs do not depend on the runs before them.
"""

import copy
import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from transformers import TrainerCallback

from nearfirst.common.errors import InputError
from nearfirst.common.files import partial_folder, sha256
from nearfirst.common.progress import bar
from nearfirst.data.instances import read_conversations
from nearfirst.evaluate.losses import losses
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import adapter, check, fingerprint, load, precision, template
from nearfirst.model.device import deterministic, device
from nearfirst.model.parts import write_in_parts
from nearfirst.model.settings import TemplateSettings
from nearfirst.order_score.orders import ORDER_LOSSES, random_orders
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.batches import check_steps, run_steps
from nearfirst.train.segment import train_unsaved
from nearfirst.train.settings import TrainSettings
from nearfirst.train.torchrun import end_with_launcher

BLOCK = 4
"""Orders whose losses are written together: at most so many per process are lost to a kill."""


@dataclass(frozen=True)
class Job:
    """The base model, the pool, the test set, and the settings of training and evaluation."""

    model: str
    pool: Path
    test: Path
    settings: OrderScoreSettings
    train: TrainSettings
    evaluate: EvaluateSettings
    template: TemplateSettings


def train_orders(
    job: Job, output: Path, processes: int, metadata: Mapping[str, str] | None = None
) -> pa.Table:
    """Train every order; write and return `ORDER_LOSSES`, sorted by order and step.

    Raises InputError if a file, a setting or the hardware cannot be used, or a run diverges.

    Parameters
    ----------
    job
        Its `train` holds the settings of one run of `settings.steps` steps.
    processes
        Orders to train in parallel, each on `train.threads`. The result does not depend on it.
    metadata
        For the schema of the output.
    """
    starts = range(0, job.settings.orders, BLOCK)
    blocks = {
        f"block-{start:06d}": [*range(start, min(start + BLOCK, job.settings.orders))]
        for start in starts
    }
    work = partial_folder(output) / "trainer"

    def train(todo: list[str]) -> Iterator[pa.Table]:
        logging.info("%d of %d blocks of %d orders are left", len(todo), len(blocks), BLOCK)
        arguments = ([blocks[name] for name in todo], repeat(job), repeat(work))
        if processes == 1 or len(todo) < 2:
            yield from bar(map(_train_block, *arguments), "blocks of orders", len(todo))
            return
        with ProcessPoolExecutor(processes, get_context("spawn"), end_with_launcher) as pool:
            try:
                done = pool.map(_train_block, *arguments)
                yield from bar(done, "blocks of orders", len(todo))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    return write_in_parts(output, blocks, train, _made_from(job), metadata or {})


def _made_from(job: Job) -> list[object]:
    """Return all that the losses depend on."""
    settings = (job.settings, job.train, job.evaluate, job.template)
    return [
        *([section.canonical() for section in settings], fingerprint.folders(job.model)),
        *(sha256(job.pool), sha256(job.test), fingerprint.code(Path(__file__))),
    ]


@dataclass(frozen=True)
class _Loaded:
    """What is loaded once: the pool, the test set, the model, and a twin for evaluation."""

    pool: list[template.Tokens]
    orders: npt.NDArray[np.int64]
    table: pa.Table
    test: list[template.Tokens]
    model: Any
    base: dict[str, torch.Tensor]
    twin: Any


@cache
def _load(job: Job) -> _Loaded:
    torch.set_num_threads(job.train.threads)
    dtype = precision.weights_dtype("evaluate.precision", job.evaluate.precision)
    tokenizer = load.load_tokenizer(job.model)
    messages = read_conversations(job.pool)
    pool = template.encode(messages, tokenizer, job.template.max_length, job.template.format)
    table, test, _ = template.read_labelled(job.test, tokenizer, job.template)
    orders = random_orders(len(pool), job.train.batch_size, job.settings)
    model = load.load_model(job.model)
    check.check_model(model, [*pool, *test])
    if job.train.adapter:
        adapter.add_adapter(model, job.train.adapter)
    model.to(device())
    base = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    twin = load.convert_weights(copy.deepcopy(model), dtype).eval()
    # Each training begins by collecting garbage: a third of a second for what imports made.
    gc.freeze()
    return _Loaded(pool, orders, table, test, model, base, twin)


class _Evaluation(TrainerCallback):  # type: ignore[misc]
    """Computes the losses on the test set at two steps, with the twin of the model."""

    def __init__(self, job: Job, loaded: _Loaded) -> None:
        self.job, self.loaded = job, loaded
        self.losses: dict[int, npt.NDArray[np.float32]] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluate, if this is one of the steps."""
        if state.global_step not in (self.job.settings.early, self.job.settings.steps):
            return
        twin, settings = self.loaded.twin, self.job.evaluate
        twin.load_state_dict(self.loaded.model.state_dict())
        with precision.tf32(settings.precision), precision.autocast(settings.precision):
            values = losses(twin, self.loaded.test, settings.batch_tokens)
        self.losses[state.global_step] = values


def _train_block(orders: Sequence[int], job: Job, folder: Path) -> pa.Table:
    """Train the orders of a block, and return their losses."""
    loaded = _load(job)
    parts = [part for order in orders for part in _train_order(job, loaded, order, folder)]
    return pa.concat_tables(parts)


def _train_order(job: Job, loaded: _Loaded, order: int, folder: Path) -> list[pa.Table]:
    """Return the losses of one run, a table for each step that is evaluated."""
    loaded.model.load_state_dict(loaded.base)
    steps = run_steps([loaded.pool[row] for row in loaded.orders[order]], job.train)
    check_steps(steps, job.train)
    evaluation = _Evaluation(job, loaded)
    try:
        with deterministic(job.train.deterministic):
            train_unsaved(loaded.model, steps, job.train, folder, evaluation)
    except InputError as error:
        raise InputError(f"order {order}: {error}") from None
    ids, tasks = loaded.table["id"], loaded.table["task"]
    labels = [item.label_tokens for item in loaded.test]
    parts = []
    for step, values in evaluation.losses.items():
        if not np.isfinite(values).all():
            raise InputError(
                f"order {order}: a loss at step {step} is not finite: the run diverged; lower "
                "train.learning_rate"
            )
        n = len(values)
        columns = [[order] * n, [step] * n, ids, tasks, values, labels]
        parts.append(pa.table(columns, schema=ORDER_LOSSES))
    return parts
