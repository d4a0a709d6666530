"""Runs of the workflow and a SLURM cluster, shared by the tests that need one."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import Checkout, copy_project
from cluster import Cluster, answers, slurm_cluster, why_not
from filelock import FileLock
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


OF_EVERYTHING = ("test_metric_reruns.py", "test_figures.py", "test_report.py")
"""Files whose tests wait for all targets: one process does, the others go on."""

LONGEST = (
    *("test_gpu_script.py", "test_float16.py", "test_several_gpus.py", "test_resume.py"),
    *("test_segment.py", "test_runs.py"),
)
"""Files that would keep one process busy at the end, while the others have nothing left to do."""


FEWER_RUNS = """
seeds: [0]
figures:
  fig1_reward: {curves: {NIV2: niv2, Flan-mini: flan}}
  fig3_similarity: {curves: {NFT: wsd-nearest, RT: random}}
  fig4_norobots: {dataset: flan}
  fig6_p3: {dataset: flan}
  schedule_control:
    conditions:
      falling: {NFT: tma-nearest, RT: random}
      constant: {NFT: tma-nearest-constant, RT: random-constant}
  fig12_selection: {curves: {NFT: budget-nearest, MIN: budget-min}}
"""
"""What every figure is built of: each way to arrange, to measure and to draw, a few times less."""


class ByFile(LoadScopeScheduling):
    """Keeps the tests of a file in one process, and all that need the one cluster in another."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.endswith(OF_EVERYTHING):
            return "everything"
        return "slurm" if "slurm" in file else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that need the one cluster, then with other long files."""
    items.sort(key=lambda item: ("slurm" not in item.nodeid, item.path.name not in LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give the tests to the processes."""
    return ByFile(config, log)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Checkout:
    """Have one of the processes that test side by side make a checkout; return a copy of it."""
    folder = factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / name
    made = shared.with_suffix(".made")
    with FileLock(f"{shared}.lock"):
        if not made.exists():
            shutil.rmtree(shared, ignore_errors=True)
            make(shared)
            made.touch()
    return copy(Checkout(shared), factory.mktemp(name))


def copy(checkout: Checkout, folder: Path) -> Checkout:
    """Copy a checkout with its results, which stay up to date."""
    shutil.copytree(checkout.folder, folder / "copy", symlinks=True)
    return Checkout(folder / "copy")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which the tiny figure was built from nothing. Leave it as it is."""

    def make(folder: Path) -> None:
        copy_project(folder).snakemake("results/fig4_flan.pdf")

    return once(tmp_path_factory, "finished", make)


@pytest.fixture
def copy_of_finished(finished: Checkout, tmp_path: Path) -> Checkout:
    """Return a copy of the finished checkout that a test may change."""
    return copy(finished, tmp_path)


@pytest.fixture(scope="session")
def everything(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which every target was built of fewer runs. Leave it as it is."""

    def make(folder: Path) -> None:
        shutil.copytree(finished.folder, folder, symlinks=True)
        Checkout(folder).append_to_config(FEWER_RUNS)
        Checkout(folder).snakemake()

    return once(tmp_path_factory, "everything", make)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster | None]:
    """Hold a SLURM cluster; skip where there can be none, unless NEARFIRST_REQUIRE_SLURM=1.

    None is one that ran before and is not ours: its daemons are let be.
    """
    reason = None if answers() else why_not()
    if reason and os.environ.get("NEARFIRST_REQUIRE_SLURM") == "1":
        pytest.fail(f"NEARFIRST_REQUIRE_SLURM=1, but {reason}")
    if reason:
        pytest.skip(reason)
    with slurm_cluster() as cluster:
        yield cluster
