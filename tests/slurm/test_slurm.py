"""The SLURM profile as it stands, on a small workflow and a real cluster."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from cluster import PROFILE, run_snakemake

# SLURM sends SIGTERM to bash too, and when bash ends, the rest of the job is killed at once. With a
# trap bash waits for its program (rules/common.smk has the same prefix).
SNAKEFILE = """
shell.prefix("trap : TERM; ")

localrules: all

rule all:
    input: "both.txt", "fed.txt", "resumed.txt"

# Two jobs that end only if they run at the same time.
rule one_of_two:
    output: "{side,left|right}.txt"
    log: "{side}.log"
    resources: gpu=1, mem_mb=500, runtime=5
    shell: "touch {wildcards.side}.here; until [ -e left.here -a -e right.here ]; do sleep 1; done "
        "2> {log}; echo $CUDA_VISIBLE_DEVICES > {output}"

# Like the rules of the workflow. Without `nodes`, SLURM takes one GPU on each of two nodes.
rule two_gpus:
    input: "left.txt", "right.txt"  # or it would wait for one of them, and the other for it
    output: "both.txt"
    log: "both.log"
    threads: 2
    resources: gpu=2, nodes=1, mem_mb=500, runtime=5, slurm_partition="mixed"
    shell: "{{ env; scontrol show job $SLURM_JOB_ID; }} > {output} 2> {log}"

rule hungry:
    output: "fed.txt"
    log: "hungry.log"
    resources: mem_mb=lambda wildcards, attempt: 500 * attempt
    shell: "python eat.py 2> {log}; {{ env; scontrol show job $SLURM_JOB_ID; }} > {output}"

rule preempted:
    output: "resumed.txt"
    log: "preempted.log"
    resources: mem_mb=500, runtime=5
    shell: "python resume.py 2> {log}; scontrol show job $SLURM_JOB_ID > {output}"
"""

# Holds memory: the first time until it is killed, then for a few rounds of polling.
EAT = """
import time
from pathlib import Path

first = not Path("eaten").exists()
Path("eaten").touch()
memory = b"x" * 600_000_000
time.sleep(600 if first else 4)
"""

# The first time it requeues its own job, as preemption does, and takes 3 s to save its state.
RESUME = """
import os, signal, subprocess, sys, time
from pathlib import Path

def save(*_):
    time.sleep(3)
    Path("state.txt").write_text(os.environ["SLURM_JOB_ID"])
    sys.exit(143)

if not Path("state.txt").exists():
    signal.signal(signal.SIGTERM, save)
    subprocess.run(["scontrol", "requeue", os.environ["SLURM_JOB_ID"]])
    while True:
        signal.pause()
"""

pytestmark = pytest.mark.slurm


def slurm_logs(root: Path, rule: str) -> list[Path]:
    """Return SLURM's logs of the jobs of a rule, in the order of submission."""
    logs = (root / "results/logs/slurm").glob(f"rule_{rule}/*.log")
    return sorted(logs, key=lambda log: int(log.stem))


@pytest.fixture(scope="module")
def finished(slurm: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a successful run of all rules at once, so that their waits overlap."""
    root = tmp_path_factory.mktemp("finished")
    (root / "Snakefile").write_text(SNAKEFILE)
    for name, program in (("eat", EAT), ("resume", RESUME)):
        (root / f"{name}.py").write_text(program)
    (root / "slurm").symlink_to(PROFILE, target_is_directory=True)
    default = root / "profiles" / "default"
    default.mkdir(parents=True)
    (default / "config.yaml").write_text("cores: all\n")
    run = run_snakemake(root, "--profile", "slurm")
    assert run.returncode == 0, run.stdout
    return root


def test_two_jobs_at_a_time_have_one_gpu_each(finished: Path) -> None:
    devices = {(finished / f"{side}.txt").read_text() for side in ("left", "right")}
    assert devices == {"0\n", "1\n"}


def test_a_job_gets_the_resources_of_its_rule_on_one_node(finished: Path) -> None:
    assert "CUDA_VISIBLE_DEVICES" not in (finished / "fed.txt").read_text()
    job = (finished / "both.txt").read_text()
    assert re.search(r"^CUDA_VISIBLE_DEVICES=0,1$", job, re.MULTILINE)
    assert "NumNodes=1 " in job
    assert "mem=500M" in job
    assert "TimeLimit=00:05:00" in job
    # `cores: all` in profiles/default also limits a job's threads to those of this machine.
    assert f"CPUs/Task={min(2, os.cpu_count() or 1)}" in job


def test_a_job_above_its_memory_limit_gets_more_memory_and_time(finished: Path) -> None:
    killed, done = slurm_logs(finished, "hungry")
    assert "exceeded memory limit" in killed.read_text()
    assert f"JobId={done.stem} " in (finished / "fed.txt").read_text()
    assert "mem=1000M" in (finished / "fed.txt").read_text()
    assert "TimeLimit=02:00:00" in (finished / "fed.txt").read_text()


def test_a_preempted_job_saves_its_state_and_resumes_under_the_same_id(finished: Path) -> None:
    (log,) = slurm_logs(finished, "preempted")  # submitted once
    assert (finished / "state.txt").read_text() == log.stem
    job = (finished / "resumed.txt").read_text()
    assert f"JobId={log.stem} " in job
    assert "Restarts=1 " in job
