"""Runs of the workflow and a SLURM cluster, shared by the tests that need one."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import Checkout, copy_project
from cluster import Cluster, missing_requirement, slurm_cluster
from filelock import FileLock
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# The time of an example depends on the machine more than on the code.
settings.register_profile("no-deadline", deadline=None)
# For a second Python, on which ten examples show whether the code runs at all.
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile("no-deadline")

# Containers often set this. Each program would compile all that it imports of the library.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


TOGETHER = {
    **dict.fromkeys(("test_metric_reruns.py", "test_figures.py", "test_report.py"), "everything"),
    **dict.fromkeys(("test_kills.py", "test_disk_full.py"), "undisturbed"),
}
"""Files whose tests need one fixture: a single process makes it, while others run other tests."""

LONGEST = (
    *("test_gpu_script.py", "test_float16.py", "test_several_gpus.py", "test_resume.py"),
    *("test_segment.py", "test_runs.py"),
)
"""Files that start early, so that none keeps one process busy while the others have finished."""


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
"""Every way to arrange, to measure and to draw, with fewer runs for each figure."""


class ByFile(LoadScopeScheduling):
    """Keeps the tests of a file in one process, as those of `TOGETHER`, and those of SLURM.

    The groups of pytest-xdist 3.8 do nothing with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "slurm" if "slurm" in file else TOGETHER.get(Path(file).name, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return the scheduler that assigns tests to processes."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that need the cluster, then with other long files."""
    items.sort(key=lambda item: ("slurm" not in item.nodeid, item.path.name not in LONGEST))


def pytest_collection_finish() -> None:
    """Exclude what imports made from garbage collection, which each training begins with."""
    gc.freeze()


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Checkout:
    """Make a checkout in one of the test processes; return a copy of it in each."""
    folder = factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / name
    marker = shared.with_suffix(".made")
    with FileLock(f"{shared}.lock"):
        if not marker.exists():
            shutil.rmtree(shared, ignore_errors=True)
            make(shared)
            marker.touch()
    return copy(Checkout(shared), factory.mktemp(name))


def copy(checkout: Checkout, folder: Path) -> Checkout:
    """Copy a checkout with its results, which stay up to date."""
    shutil.copytree(checkout.folder, folder / "copy", symlinks=True)
    return Checkout(folder / "copy")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which the tiny figure was built from nothing. Do not change it."""

    def make(folder: Path) -> None:
        copy_project(folder).snakemake("results/fig4_flan.pdf")

    return once(tmp_path_factory, "finished", make)


@pytest.fixture
def copy_of_finished(finished: Checkout, tmp_path: Path) -> Checkout:
    """Return a copy of the finished checkout that a test may change."""
    return copy(finished, tmp_path)


@pytest.fixture(scope="session")
def everything(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which every target was built from fewer runs. Do not change it."""

    def make(folder: Path) -> None:
        shutil.copytree(finished.folder, folder, symlinks=True)
        Checkout(folder).append_to_config(FEWER_RUNS)
        Checkout(folder).snakemake()

    return once(tmp_path_factory, "everything", make)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    """Start a SLURM cluster; if that is impossible, skip unless NEARFIRST_REQUIRE_SLURM=1."""
    reason = missing_requirement()
    if reason and os.environ.get("NEARFIRST_REQUIRE_SLURM") == "1":
        pytest.fail(f"NEARFIRST_REQUIRE_SLURM=1, but {reason}")
    if reason:
        pytest.skip(reason)
    with slurm_cluster() as cluster:
        yield cluster
