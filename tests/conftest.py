"""One finished run of the workflow, shared by the tests that need one."""

import shutil
from pathlib import Path

import pytest
from checkout import Checkout, copy_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which the tiny figure was built from nothing. Leave it as it is."""
    checkout = copy_project(tmp_path_factory.mktemp("finished"))
    checkout.snakemake("results/fig4_flan.pdf")
    return checkout


@pytest.fixture
def copy_of_finished(finished: Checkout, tmp_path: Path) -> Checkout:
    """Return a copy of the finished checkout that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")
