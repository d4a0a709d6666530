"""The bill of the paper's preset from beginning to end, as a user asks for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import Checkout, copy_project

PARAMETERS = 6_738_415_616
FLAGS = ("--profile", "slurm", "--config", "preset=paper", "seeds=[0]")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout without results."""
    return copy_project(tmp_path_factory.mktemp("fresh"))


def plan(checkout: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in the folder of the project."""
    return subprocess.run(
        [sys.executable, "workflow/scripts/plan.py", *arguments],
        cwd=checkout.folder,
        env={**os.environ, "PYTHONPATH": str(checkout.folder / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_bill_of_the_paper_s_figure(fresh: Checkout, tmp_path: Path) -> None:
    before = {path for path in fresh.folder.rglob("*") if ".snakemake" not in path.parts}
    rate = ("--train-seconds-per-step", "16", "--json", str(tmp_path / "plan.json"))
    done = plan(fresh, "results/fig4_flan.pdf", *rate, *FLAGS)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "plan.json").read_text())
    jobs = {line["rule"]: line["jobs"] for line in found["rules"]}
    assert jobs["train"] == jobs["evaluate"] == 3 * 6
    assert found["jobs"] == sum(jobs.values())
    # Fetching is done here; rules of seconds share a submission.
    assert [line["local"] for line in found["rules"] if line["rule"] == "fetch"] == [True]
    assert 2 * 18 < found["submissions"] <= 60
    assert found["submissions"] < found["jobs"] - found["local_jobs"]
    assert found["parameters"]["number"] == PARAMETERS
    assert [run["segments"][-1]["stop"] for run in found["runs"]] == [1797] * 3
    kept = 3 * 181 * 2 * PARAMETERS
    assert found["end_bytes"] == kept
    assert found["peak_bytes"] == kept + 3 * 4 * 12 * PARAMETERS
    train = next(cost for cost in found["costs"] if cost["rule"] == "train")
    assert train["gpu_hours"] == pytest.approx(3 * 1797 * 16 / 3600 * 2)
    for words in ("7.32 TB", "8.29 TB", "no rate measured", "16 s per step (given)"):
        assert words in done.stdout
    after = {path for path in fresh.folder.rglob("*") if ".snakemake" not in path.parts}
    assert {path for path in after - before if "__pycache__" not in path.parts} == set()


def test_what_snakemake_refuses_is_one_line(fresh: Checkout) -> None:
    done = plan(fresh, "results/fig4_flan.pdf", "--config", "trian={steps: 3}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "config key 'trian'" in done.stderr
    assert "did you mean 'train'" in done.stderr
