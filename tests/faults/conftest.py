"""Fixtures of the fault tests: a finished run, and what undisturbed jobs write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import Checkout
from controllers import TARGET, end_all
from faults import Outputs, embedding, evaluation, training


@pytest.fixture(scope="session")
def results(finished: Checkout) -> Path:
    """Return the results of the finished checkout. Do not change them."""
    return finished.folder / "results"


@pytest.fixture(scope="session")
def undisturbed(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Return what each job writes, in one piece."""
    job = training(results, tmp_path_factory.mktemp("undisturbed") / "job")
    job.finish()
    losses = results / "losses/flan/specialist-0/random/seed-0/0-end.parquet"
    embeddings = results / "embeddings/text/flan/specialist-0.parquet"
    return {
        training: job.result(),
        evaluation: {"losses.parquet": losses.read_bytes()},
        embedding: {"embeddings.parquet": embeddings.read_bytes()},
    }


@pytest.fixture
def checkout(copy_of_finished: Checkout) -> Iterator[Checkout]:
    """Return a finished checkout that lacks the checkpoints of one run."""
    shutil.rmtree(copy_of_finished.folder / TARGET)
    yield copy_of_finished
    end_all(copy_of_finished)
