"""Runs of many orders equal those of `train.py`, even if killed or run in parallel."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from training import train

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import read_table
from nearfirst.data.instances import conversations, read_instances
from nearfirst.evaluate.losses import evaluate
from nearfirst.evaluate.settings import EvaluateSettings
from nearfirst.model import load, template
from nearfirst.model.settings import TemplateSettings
from nearfirst.order_score import runs
from nearfirst.order_score.orders import ORDER_LOSSES, random_orders
from nearfirst.order_score.settings import OrderScoreSettings
from nearfirst.train.settings import TrainSettings

SETTINGS = OrderScoreSettings(orders=9, steps=3, early=2)
TRAIN = TrainSettings(steps=3, batch_size=4, learning_rate=1e-2, checkpoint_every=1)


@pytest.fixture(scope="module")
def job(
    tmp_path_factory: pytest.TempPathFactory,
    model_folder: Path,
    write_instances: Any,
    some_talks: Any,
) -> runs.Job:
    folder = tmp_path_factory.mktemp("data")
    write_instances(folder / "pool.parquet", some_talks(20))
    write_instances(folder / "test.parquet", some_talks(5, seed=1))
    files = str(model_folder), folder / "pool.parquet", folder / "test.parquet"
    return runs.Job(*files, SETTINGS, TRAIN, EvaluateSettings(), TemplateSettings(max_length=64))


def test_a_run_equals_that_of_train_even_if_killed_or_in_parallel(
    job: runs.Job, tmp_path: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = runs.train_orders(job, tmp_path / "whole.parquet", 1)
    assert whole.schema == ORDER_LOSSES
    assert read_table(tmp_path / "whole.parquet", ORDER_LOSSES, unique=None) == whole
    assert runs.train_orders(job, tmp_path / "parallel.parquet", 2) == whole

    # Order 6 is in the second block of three.
    rows = random_orders(20, TRAIN.batch_size, SETTINGS)[6]
    pool, test = (read_instances(path) for path in (job.pool, job.test))
    tokens, test_tokens = (
        template.encode(conversations(table), tokenizer, 64) for table in (pool, test)
    )
    folder, _ = train(Path(job.model), [tokens[row] for row in rows], TRAIN, tmp_path / "train")
    steps = [[folder / f"step-{step:06d}"] for step in (2, 3)]
    tables = evaluate(load.empty_model(job.model), steps, test, test_tokens, EvaluateSettings())
    expected = pa.concat_tables(tables)
    assert whole.filter(whole["order"].to_numpy() == 6).drop_columns("order") == expected

    trained: list[int] = []

    def train_at_most(limit: int, orders: Sequence[int], *others: Any) -> Any:
        if len(trained) == limit:
            raise KeyboardInterrupt
        trained.append(orders[0])
        return train_block(orders, *others)

    train_block, output = runs._train_block, tmp_path / "killed.parquet"
    monkeypatch.setattr(runs, "_train_block", partial(train_at_most, 2))
    with pytest.raises(KeyboardInterrupt):
        runs.train_orders(job, output, 1)
    # The blocks of another job are trained again, but no others.
    monkeypatch.setattr(runs, "_train_block", partial(train_at_most, 3))
    other = replace(job, train=TRAIN.model_copy(update={"learning_rate": 1e-3}))
    with pytest.raises(KeyboardInterrupt):
        runs.train_orders(other, output, 1)
    monkeypatch.setattr(runs, "_train_block", partial(train_at_most, 9))
    assert runs.train_orders(job, output, 1) == whole
    assert trained == [0, 4, 0, 0, 8]


def test_a_run_that_diverges_is_named(job: runs.Job, tmp_path: Path) -> None:
    too_high = replace(job, train=TRAIN.model_copy(update={"learning_rate": 1e30}))
    with pytest.raises(InputError, match=r"^order 0: .* is not finite"):
        runs.train_orders(too_high, tmp_path / "losses.parquet", 1)


def test_orders_are_permutations_of_the_same_instances() -> None:
    orders = random_orders(20, 4, SETTINGS)
    assert orders.shape == (9, 12)
    assert len(set(orders[0])) == 12
    assert (np.sort(orders, axis=1) == np.sort(orders[0])).all()
    assert len({tuple(order) for order in orders}) == 9
    more = random_orders(20, 4, SETTINGS.model_copy(update={"orders": 10}))
    assert (more[:9] == orders).all()
    other = random_orders(20, 4, SETTINGS.model_copy(update={"seed": 1}))
    assert {*other[0]} != {*orders[0]}
    with pytest.raises(InputError, match=r"3 steps of 8 need more than the 20 .* set it to 2 or"):
        random_orders(20, 8, SETTINGS)


def test_early_is_before_the_end() -> None:
    with pytest.raises(InputError, match="early: 40 is not below steps 40"):
        OrderScoreSettings.parse('{"early": 40}')


def test_the_twin_has_exact_positions_in_float16(
    job: runs.Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A CPU stands in for the GPU that float16 needs.
    monkeypatch.setattr(runs.precision, "check", lambda *_: None)
    loaded = runs._load.__wrapped__(replace(job, evaluate=EvaluateSettings(precision="float16")))
    assert {weight.dtype for weight in loaded.twin.parameters()} == {torch.float16}
    expected = dict(loaded.model.named_buffers())
    assert expected
    for name, buffer in loaded.twin.named_buffers():
        torch.testing.assert_close(buffer, expected[name], rtol=0, atol=0)
