"""Killed jobs and a killed Snakemake: the same command recovers."""

import psutil
import pytest
from checkout import Checkout
from controllers import LOG, TARGET, Controller, assert_same_as, training_of, waits
from programs import wait_until
from warm import folder_of_python


def test_a_killed_job_is_reported_and_run_again_by_the_same_command(
    checkout: Checkout, finished: Checkout
) -> None:
    controller = Controller.start(checkout, TARGET)
    training_of(controller, checkout).kill()
    assert controller.process.wait(timeout=120) == 1
    printed = controller.printed.read_text()
    assert "Error in rule train" in printed
    assert LOG in printed
    assert not (checkout.folder / TARGET).exists()
    checkout.snakemake(TARGET)
    assert_same_as(checkout, finished)


@pytest.mark.parametrize("job", ["runs on", "ends first"])
def test_a_killed_snakemake(checkout: Checkout, finished: Checkout, job: str) -> None:
    controller = Controller.start(checkout, TARGET)
    orphan = training_of(controller, checkout)
    orphan.suspend()  # a slow one
    controller.kill()
    if job == "ends first":
        orphan.resume()
        psutil.wait_procs([orphan], timeout=60)
        assert (checkout.folder / TARGET).exists()
    checkout.snakemake("--unlock")
    # A job that ended unobserved is marked as incomplete.
    second = Controller.start(checkout, TARGET, "--rerun-incomplete", python=folder_of_python())
    if job == "runs on":
        wait_until(lambda: waits(checkout) or second.process.poll() is not None, "both jobs")
        assert orphan.is_running()
        orphan.resume()
    second.end()
    assert_same_as(checkout, finished)
