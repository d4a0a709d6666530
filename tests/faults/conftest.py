"""What the fault tests share: programs that start fast, and the run that nothing disturbed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import Checkout
from controllers import TARGET, end_all
from faults import Warm, training
from kills import Undisturbed


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Return what runs stage programs without importing torch anew each time."""
    with Warm.started(tmp_path_factory.mktemp("warm")) as server:
        yield server


@pytest.fixture(scope="session")
def results(finished: Checkout) -> Path:
    """Return the results of the finished checkout. Leave them as they are."""
    return finished.folder / "results"


@pytest.fixture(scope="session")
def undisturbed(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Return the training run that nothing disturbed, in one piece."""
    return Undisturbed.of(training(results, tmp_path_factory.mktemp("undisturbed") / "job"))


@pytest.fixture
def checkout(copy_of_finished: Checkout) -> Iterator[Checkout]:
    """Return a finished checkout that lacks the checkpoints of one run."""
    shutil.rmtree(copy_of_finished.folder / TARGET)
    yield copy_of_finished
    end_all(copy_of_finished)
