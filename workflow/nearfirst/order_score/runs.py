"""Many short runs from one base model, each in another order: losses early and late.

Model and data are loaded once in a process. A block of runs is a file, so that a killed job goes on
after its last whole blocks; what a run gives does not depend on the runs before it.
"""

import copy
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from transformers import TrainerCallback

from nearfirst.common.errors import InputError
from nearfirst.common.files import remove, sha256
from nearfirst.common.parquet import read_table, write_table
from nearfirst.common.progress import bar
from nearfirst.data.instances import conversations, read_instances
from nearfirst.evaluate.losses import losses
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import adapter, check, fingerprint, load, precision, template
from nearfirst.model.device import deterministic, device
from nearfirst.model.settings import TemplateSettings
from nearfirst.order_score.orders import ORDER_LOSSES, random_orders
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.batches import check_steps, run_steps
from nearfirst.train.segment import train_unsaved
from nearfirst.train.settings import TrainSettings
from nearfirst.train.torchrun import end_with_launcher

BLOCK = 4
"""Orders whose losses are written together: what a killed job loses, of each process, at most."""


@dataclass(frozen=True)
class Job:
    """The base model, the pool, the test set, and how they are trained and measured."""

    model: str
    pool: Path
    test: Path
    settings: OrderScoreSettings
    train: TrainSettings
    evaluate: EvaluateSettings
    template: TemplateSettings


def train_orders(job: Job, work: Path, processes: int) -> pa.Table:
    """Train every order; return `ORDER_LOSSES`, sorted by order and step.

    Parameters
    ----------
    job
        Its `train` is that of one run: of `settings.steps` steps.
    work
        Folder for the blocks, which outlives a killed job; one of another job is emptied.
    processes
        Orders that are trained side by side, each on `train.threads`; they do not change a bit.

    Raises
    ------
    InputError
        If a file, a setting or the hardware cannot be used, or a run diverges.
    """
    work = _prepare(job, work)
    starts = range(0, job.settings.orders, BLOCK)
    paths = {start: work / f"block-{start:06d}.parquet" for start in starts}
    left = {start: path for start, path in paths.items() if not path.is_file()}
    logging.info("%d of %d blocks of %d orders are left", len(left), len(paths), BLOCK)
    train = partial(_train_block, job)
    if processes == 1 or len(left) < 2:
        list(bar(map(train, left, left.values()), "blocks of orders", len(left)))
    else:
        with ProcessPoolExecutor(processes, get_context("spawn"), end_with_launcher) as pool:
            done = pool.map(train, left, left.values())
            try:
                list(bar(done, "blocks of orders", len(left)))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    blocks = [read_table(path, ORDER_LOSSES, unique=None) for path in paths.values()]
    return pa.concat_tables(blocks)


def _prepare(job: Job, work: Path) -> Path:
    """Return the folder of the blocks, emptied of another job's."""
    its = [job.settings, job.train, job.evaluate, job.template]
    files = [sha256(job.pool), sha256(job.test), fingerprint.files(Path(job.model))]
    sections = [section.canonical() for section in its]
    run = fingerprint.digest([sections, job.model, files, fingerprint.code(Path(__file__))])
    note = work / "run"
    if not (note.is_file() and note.read_text() == run):
        remove(work)
        work.mkdir(parents=True)
        note.write_text(run)
    return work


@dataclass(frozen=True)
class _Loaded:
    """What is loaded once: the pool, the test set, the model and a twin that is measured."""

    pool: list[template.Tokens]
    orders: npt.NDArray[np.int64]
    table: pa.Table
    test: list[template.Tokens]
    model: Any
    base: dict[str, torch.Tensor]
    twin: Any


@cache
def _loaded(job: Job) -> _Loaded:
    torch.set_num_threads(job.train.threads)
    dtype = precision.weights_dtype("evaluate.precision", job.evaluate.precision)
    tokenizer = load.load_tokenizer(job.model)
    its = job.template
    messages = conversations(read_instances(job.pool))
    pool = template.encode(messages, tokenizer, its.max_length, its.format)
    table, test, _ = template.read_labelled(job.test, tokenizer, its)
    orders = random_orders(len(pool), job.train.batch_size, job.settings)
    model = load.load_model(job.model)
    check.check_model(model, [*pool, *test])
    if job.train.adapter:
        adapter.add_adapter(model, job.train.adapter)
    model.to(device())
    base = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    twin = copy.deepcopy(model).to(dtype).eval()
    return _Loaded(pool, orders, table, test, model, base, twin)


class _Measure(TrainerCallback):  # type: ignore[misc]
    """Measures the losses of the test set at some steps, on the twin of the model."""

    def __init__(self, job: Job, its: _Loaded) -> None:
        self.job, self.its = job, its
        self.found: dict[int, npt.NDArray[np.float32]] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure, if this is one of the steps."""
        if state.global_step not in (self.job.settings.early, self.job.settings.steps):
            return
        its, evaluate = self.its, self.job.evaluate
        its.twin.load_state_dict(its.model.state_dict())
        with precision.tf32(evaluate.precision), precision.autocast(evaluate.precision):
            self.found[state.global_step] = losses(its.twin, its.test, evaluate.batch_tokens)


def _train_block(job: Job, start: int, path: Path) -> None:
    """Train the orders of a block, and write their losses."""
    its = _loaded(job)
    stop = min(start + BLOCK, job.settings.orders)
    parts = [part for order in range(start, stop) for part in _train_order(job, its, order, path)]
    write_table(pa.concat_tables(parts), path)


def _train_order(job: Job, its: _Loaded, order: int, path: Path) -> Sequence[pa.Table]:
    """Return the losses of one run, a table for each step that is measured."""
    its.model.load_state_dict(its.base)
    steps = run_steps([its.pool[row] for row in its.orders[order]], job.train)
    check_steps(steps, job.train)
    measure = _Measure(job, its)
    with deterministic(job.train.deterministic):
        train_unsaved(its.model, steps, job.train, path.with_name("trainer"), measure)
    labels = [item.label_tokens for item in its.test]
    parts = []
    for step, found in measure.found.items():
        if not np.isfinite(found).all():
            raise InputError(
                f"order {order}: a loss at step {step} is not finite: the run diverged; lower "
                "train.learning_rate"
            )
        when = [[each] * len(found) for each in (order, step)]
        columns = [*when, its.table["id"], its.table["task"], found, labels]
        parts.append(pa.table(columns, schema=ORDER_LOSSES))
    return parts
