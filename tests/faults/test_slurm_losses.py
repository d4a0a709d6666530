"""On the real cluster: Snakemake killed while its batch job runs, and a node that goes down."""

import shutil
from pathlib import Path

import pytest
from checkout import Checkout
from cluster import Cluster, output
from controllers import TARGET, assert_same_as, end, end_all, kill, start, training_of, waits
from programs import wait_until
from warm import folder_of_python

pytestmark = pytest.mark.slurm
PROFILE = ("--profile", "slurm")


def queue() -> list[str]:
    """Return the ids of unfinished jobs."""
    return output("squeue", "--noheader", "--format=%i").split()


def test_snakemake_is_lost_and_then_the_node(
    slurm: Cluster, checkout: Checkout, finished: Checkout, tmp_path: Path
) -> None:
    second = Checkout(tmp_path / "second/copy")
    shutil.copytree(checkout.folder, second.folder, symlinks=True)
    try:
        # Snakemake is killed, but its job runs on; the job of the next Snakemake waits for it.
        lost = start(checkout, TARGET, *PROFILE)
        job = training_of(lost, checkout)
        job.suspend()  # a slow one
        kill(lost)
        checkout.snakemake("--unlock")
        controller = start(checkout, TARGET, *PROFILE, python=folder_of_python())
        wait_until(lambda: waits(checkout), "the second job", 180)
        assert job.is_running()
        job.resume()
        wait_until(lambda: not queue(), "the end of both jobs", 180)

        # Meanwhile start another job, which survives the end of the daemon.
        other = start(second, TARGET, *PROFILE)
        job = training_of(other, second)
        job.suspend()
        (number,) = queue()
        slurm.kill_slurmd()
        slurm.start_node()
        assert job.is_running()
        # Without the node the job ends, and is requeued under the same id.
        slurm.kill_node()
        assert not job.is_running()
        slurm.start_node()
        assert queue() == [number]

        end(controller, checkout)
        end(other, second)
        assert_same_as(checkout, finished)
        assert_same_as(second, finished)
    finally:
        end_all(second)
