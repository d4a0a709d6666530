"""The SLURM profile as it stands, on a small workflow and a real cluster."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from cluster import PROFILE, run_snakemake

SNAKEFILE = """
localrules: all, local

rule all:
    input: "trained.txt", "local.txt"

rule prepare:
    output: "prepared.txt"
    log: "prepare.log"
    resources: mem_mb=500
    shell: "env > {output} 2> {log}"

rule train:
    input: "prepared.txt"
    output: "trained.txt"
    log: "train.log"
    threads: 2
    resources: gpu=1, mem_mb=500, runtime=5
    shell: "{{ env; scontrol show job $SLURM_JOB_ID; }} > {output} 2> {log}"

rule local:
    output: "local.txt"
    shell: "env > {output}"

rule second_time_lucky:
    output: "lucky.txt"
    log: "lucky.log"
    resources: mem_mb=500
    shell: "mkdir tried 2> {log} && exit 1; scontrol show job $SLURM_JOB_ID > {output}"

rule broken:
    output: "broken.txt"
    log: "broken.log"
    resources: mem_mb=500
    shell: "echo the reason > {log}; exit 3"
"""

pytestmark = pytest.mark.slurm


def lay_out(root: Path) -> Path:
    """Make a repository root: a Snakefile, the real profile, `cores: all` by default."""
    (root / "Snakefile").write_text(SNAKEFILE)
    (root / "slurm").symlink_to(PROFILE, target_is_directory=True)
    default = root / "profiles" / "default"
    default.mkdir(parents=True)
    (default / "config.yaml").write_text("cores: all\n")
    return root


@pytest.fixture(scope="module")
def finished(slurm: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the directory of a run that succeeded."""
    root = lay_out(tmp_path_factory.mktemp("finished"))
    run = run_snakemake(root, "all", "lucky.txt", "--profile", "slurm")
    assert run.returncode == 0, run.stdout
    return root


def test_every_rule_but_the_local_ones_is_a_job_with_a_log_of_its_own(finished: Path) -> None:
    jobs = {
        name: re.findall(r"\bSLURM_JOB_ID=(\d+)\n", (finished / f"{name}.txt").read_text())
        for name in ("prepared", "trained", "local")
    }
    assert [len(ids) for ids in jobs.values()] == [1, 1, 0]
    logs = finished / "results" / "logs" / "slurm"
    assert [log.stem for log in logs.glob("rule_prepare/*.log")] == jobs["prepared"]
    assert [log.stem for log in logs.glob("rule_train/*.log")] == jobs["trained"]
    assert not list(logs.glob("rule_local/*.log"))


def test_a_job_gets_what_its_rule_asks_for(finished: Path) -> None:
    assert "CUDA_VISIBLE_DEVICES" not in (finished / "prepared.txt").read_text()
    job = (finished / "trained.txt").read_text()
    assert re.search(r"^CUDA_VISIBLE_DEVICES=\d+$", job, re.MULTILINE)
    assert "mem=500M" in job
    assert "TimeLimit=00:05:00" in job
    # `cores: all` in profiles/default also limits the threads of a job, to this machine's.
    assert f"CPUs/Task={min(2, os.cpu_count() or 1)}" in job


def test_a_failed_job_comes_again_with_more(finished: Path) -> None:
    assert "TimeLimit=02:00:00" in (finished / "lucky.txt").read_text()
    assert len(list((finished / "results/logs/slurm/rule_second_time_lucky").glob("*.log"))) == 2


def test_a_job_that_fails_for_good_is_named_with_its_logs(slurm: None, tmp_path: Path) -> None:
    root = lay_out(tmp_path)
    run = run_snakemake(root, "broken.txt", "--profile", "slurm", "--retries", "0")
    assert run.returncode == 1, run.stdout
    assert "Error in rule broken" in run.stdout
    assert "SLURM status is: 'FAILED'" in run.stdout
    assert (root / "broken.log").read_text() == "the reason\n"
    (log,) = (root / "results/logs/slurm/rule_broken").glob("*.log")
    assert f"log: broken.log, {log}" in run.stdout
