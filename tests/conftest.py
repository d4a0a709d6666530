"""One finished run of the workflow, shared by the tests that need one."""

import shutil
from pathlib import Path

import pytest
from checkout import Checkout, copy_project
from hypothesis import settings

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which the tiny figure was built from nothing. Leave it as it is."""
    checkout = copy_project(tmp_path_factory.mktemp("finished"))
    checkout.snakemake("results/fig4_flan.pdf")
    return checkout


def copy(checkout: Checkout, folder: Path) -> Checkout:
    """Copy a checkout with its results, which stay up to date."""
    shutil.copytree(checkout.folder, folder / "copy", symlinks=True)
    return Checkout(folder / "copy")


@pytest.fixture
def copy_of_finished(finished: Checkout, tmp_path: Path) -> Checkout:
    """Return a copy of the finished checkout that a test may change."""
    return copy(finished, tmp_path)


@pytest.fixture(scope="session")
def everything(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which every target was built, with one seed. Leave it as it is."""
    checkout = copy(finished, tmp_path_factory.mktemp("everything"))
    checkout.snakemake("--config", "seeds=[0]")
    return checkout
