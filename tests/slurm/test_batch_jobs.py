"""The real workflow as batch jobs, by the README's command."""

import re
from pathlib import Path

import pytest
from checkout import Checkout, copy_project
from cluster import run_snakemake
from files import cut
from submissions import submissions
from warm import folder_of_python

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm")]


def test_the_figure_as_batch_jobs(tmp_path: Path, finished: Checkout) -> None:
    checkout = copy_project(tmp_path / "checkout")
    # Fewer runs, set in the config, so that the command is the README's.
    curves = "{fig4_flan: {curves: {NFT: tma-nearest, RT: random}}}"
    checkout.append_to_config(f"seeds: [0]\nfigures: {curves}\n")
    done = run_snakemake(
        checkout.folder,
        *("results/fig4_flan.pdf", "--profile", "slurm"),
        limit=900,
        python=folder_of_python(),
    )
    assert done.returncode == 0, done.stdout
    results = checkout.folder / "results"
    assert (results / "fig4_flan.pdf").exists()
    # As many submissions as a dry run predicts, each with SLURM's log where the docs say.
    submitted = re.findall(r"SLURM jobid '?(\d+)", done.stdout)
    again = ("--forceall", "results/fig4_flan.pdf", "--profile", "slurm")
    predicted = submissions(checkout.snakemake("--dry-run", *again).stdout)
    assert len(set(submitted)) == len(submitted) == predicted
    logs = {path.stem: path for path in (results / "logs/slurm").rglob("*.log")}
    assert set(logs) == set(submitted)
    # Every program has its own log, also in a group.
    folder = results / "logs"
    program_logs = [path.relative_to(folder) for path in folder.rglob("*.log")]
    rules = checkout.would_run("--forceall", "results/fig4_flan.pdf")
    assert set(rules) <= {path.parts[0].removesuffix(".log") for path in program_logs}
    # The numbers do not depend on where jobs run.
    for name in ("random", "tma-nearest"):
        run = f"losses/flan/specialist-0/{name}/seed-0/0-end.parquet"
        assert (results / run).read_bytes() == (finished.folder / "results" / run).read_bytes()
    # A job that fails on a node is reported with its logs, and at the end with its error.
    checkpoint = f"checkpoints/flan/{name}/seed-0/0-end/step-000008/model.safetensors"
    cut(results / checkpoint)
    (results / run).unlink()
    failed = run_snakemake(
        checkout.folder,
        *(f"results/{run}", "--profile", "slurm", "--retries", "0"),
        limit=300,
        python=folder_of_python(),
    )
    assert failed.returncode == 1
    assert "Error in rule evaluate" in failed.stdout
    assert "SLURM status is: 'FAILED'" in failed.stdout
    assert re.search(r"log: results/logs/evaluate/\S+, /\S+/results/logs/slurm/", failed.stdout)
    (line,) = [x for x in failed.stdout.splitlines()[-8:] if x.startswith("Failed: ")]
    assert checkpoint in line
