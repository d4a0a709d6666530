"""GPUs for jobs side by side, with a stand-in for nvidia-smi."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from checkout import ROOT, copy_project

SHOW = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True)"
STAY = f"{SHOW}; import time; time.sleep(600)"

Job = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs, none taken."""
    program = tmp_path / "bin/nvidia-smi"
    program.parent.mkdir()
    lines = "GPU 0: Fake (UUID: GPU-a)\n  MIG 1g.10gb Device 0: (UUID: MIG-c)\nGPU 1: Fake"
    program.write_text(f"#!/bin/sh\necho '{lines}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def start() -> Iterator[Job]:
    """Start a program with some GPUs; what is left is killed."""
    jobs: list[subprocess.Popen[str]] = []

    def run(
        count: int, program: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "nearfirst.common.gpus", str(count)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        jobs.append(
            subprocess.Popen(
                [*command, sys.executable, "-c", program],
                env={**os.environ, "PYTHONPATH": str(ROOT / "workflow"), **(environment or {})},
                text=True,
                **pipes,  # type: ignore[call-overload]
            )
        )
        return jobs[-1]

    yield run
    for job in jobs:
        job.kill()
        job.communicate()


def line(job: subprocess.Popen[str]) -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip()


@pytest.mark.usefixtures("two_gpus")
def test_concurrent_jobs_get_different_gpus_and_a_kill_frees_them(start: Job) -> None:
    first, second = start(1, STAY), start(1, STAY)
    assert {line(first), line(second)} == {"0", "1"}
    third = start(1, STAY)
    assert third.stderr is not None
    assert third.stderr.readline().startswith("waiting for 1 of 2 GPUs")
    both = start(2, SHOW)
    time.sleep(1)
    assert third.poll() is None
    second.send_signal(signal.SIGKILL)
    assert line(third) in ("0", "1")
    third.terminate()
    first.terminate()
    assert line(both) == "0,1"


@pytest.mark.usefixtures("two_gpus")
def test_what_a_job_sees(start: Job) -> None:
    # The user's choice limits what can be taken.
    assert line(start(1, SHOW, {"CUDA_VISIBLE_DEVICES": "7,5"})) == "7"
    assert line(start(0, SHOW)) == ""
    # Too few GPUs: the program reports it.
    assert line(start(3, SHOW)) == "0,1"
    # Without a GPU, or with one that SLURM has chosen, nothing changes.
    for environment in (
        {"CUDA_VISIBLE_DEVICES": ""},
        {"CUDA_VISIBLE_DEVICES": "-1"},
        {"CUDA_VISIBLE_DEVICES": "3", "SLURM_JOB_ID": "8"},
    ):
        assert line(start(1, SHOW, environment)) == environment["CUDA_VISIBLE_DEVICES"]
    # `gpu: 0` leaves GPUs that the profile requests in another way.
    assert line(start(0, SHOW, {"CUDA_VISIBLE_DEVICES": "3", "SLURM_JOB_ID": "8"})) == "3"
    # In an allocation with several, jobs share them.
    allocation = {"CUDA_VISIBLE_DEVICES": "0,1", "SLURM_JOB_ID": "8"}
    assert {line(start(1, STAY, allocation)) for _ in range(2)} == {"0", "1"}
    # Another allocation can have the same numbers: with cgroups its 0 is another GPU.
    assert line(start(1, SHOW, allocation | {"SLURM_JOB_ID": "9"})) == "0"


@pytest.mark.usefixtures("two_gpus")
def test_without_a_scheduler_the_gpus_of_the_machine_limit_the_jobs(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path / "checkout")
    rule = (
        "rule show:\n    output: 'shown'\n    resources: gpu=5\n"
        "    shell: 'echo has {resources.gpu} > {output}'\n"
    )
    (checkout.folder / "Snakefile").open("a").write(f"\n\n{rule}")

    def has(*more: str) -> str:
        done = checkout.snakemake("shown", "--dry-run", "--printshellcmds", *more)
        return done.stdout.partition("echo has ")[2].partition(" ")[0]

    assert has("--jobs", "3") == "2"
    assert has("--resources", "gpu=1") == "1"
    # The GPUs of a cluster are not those of the submitting machine.
    assert has("--profile", "slurm") == "5"
