"""The real workflow as batch jobs, by the very command of the README."""

import re
from pathlib import Path

import pandas as pd
import pytest
from checkout import Checkout, copy_project
from cluster import run_snakemake

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm")]


def test_the_figure_as_batch_jobs(tmp_path: Path, finished: Checkout) -> None:
    checkout = copy_project(tmp_path / "checkout")
    done = run_snakemake(checkout.folder, "results/fig4_flan.pdf", "--profile", "slurm", limit=900)
    assert done.returncode == 0, done.stdout
    results = checkout.folder / "results"
    assert (results / "fig4_flan.pdf").exists()
    # Every rule was a batch job of its own, with a log of its own.
    submitted = re.findall(r"SLURM jobid '?(\d+)", done.stdout)
    jobs = sum(finished.would_run("--forceall", "results/fig4_flan.pdf").values())
    assert len(set(submitted)) == jobs
    logs = {path.parent.parent.name for path in (results / "logs/slurm").rglob("*.log")} | {
        path.parent.name for path in (results / "logs/slurm").rglob("*.log")
    }
    rules = set(finished.would_run("--forceall", "results/fig4_flan.pdf"))
    assert {f"rule_{rule}" for rule in rules} <= logs
    # Where jobs run changes no number.
    pd.testing.assert_frame_equal(
        pd.read_csv(results / "fig4_flan.csv"),
        pd.read_csv(finished.folder / "results/fig4_flan.csv"),
    )
