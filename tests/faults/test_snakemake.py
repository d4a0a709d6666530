"""Killed jobs and a killed Snakemake: the same command recovers."""

import psutil
import pytest
from checkout import Checkout
from controllers import LOG, TARGET, assert_same_as, end, kill, start, training_of, waits
from programs import wait_until
from warm import folder_of_python


def test_a_killed_job_is_reported_and_run_again_by_the_same_command(
    checkout: Checkout, finished: Checkout
) -> None:
    controller = start(checkout, TARGET)
    training_of(controller, checkout).kill()
    printed = end(controller, checkout, code=1)
    assert "Error in rule train" in printed
    assert LOG in printed
    assert not (checkout.folder / TARGET).exists()
    checkout.snakemake(TARGET)
    assert_same_as(checkout, finished)


@pytest.mark.parametrize("job", ["runs on", "ends first"])
def test_a_killed_snakemake(checkout: Checkout, finished: Checkout, job: str) -> None:
    controller = start(checkout, TARGET)
    orphan = training_of(controller, checkout)
    orphan.suspend()  # a slow one
    kill(controller)
    if job == "ends first":
        orphan.resume()
        psutil.wait_procs([orphan], timeout=60)
        assert (checkout.folder / TARGET).exists()
    checkout.snakemake("--unlock")
    # A job that ended unobserved is marked as incomplete.
    second = start(checkout, TARGET, "--rerun-incomplete", python=folder_of_python())
    if job == "runs on":
        wait_until(lambda: waits(checkout) or second.poll() is not None, "both jobs")
        assert orphan.is_running()
        orphan.resume()
    end(second, checkout)
    assert_same_as(checkout, finished)
