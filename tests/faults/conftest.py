"""Fixtures of the fault tests: a finished run, and an undisturbed training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import Checkout
from controllers import TARGET, end_all
from faults import training


@pytest.fixture(scope="session")
def results(finished: Checkout) -> Path:
    """Return the results of the finished checkout. Do not change them."""
    return finished.folder / "results"


@pytest.fixture(scope="session")
def undisturbed(results: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the outputs of an undisturbed training run in one piece."""
    job = training(results, tmp_path_factory.mktemp("undisturbed") / "job")
    job.finish()
    return job.result()


@pytest.fixture
def checkout(copy_of_finished: Checkout) -> Iterator[Checkout]:
    """Return a finished checkout that lacks the checkpoints of one run."""
    shutil.rmtree(copy_of_finished.folder / TARGET)
    yield copy_of_finished
    end_all(copy_of_finished)
