"""What the SLURM profile sets holds for the installed plugin, without a cluster."""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from checkout import ROOT, Checkout, copy_project
from cluster import run_snakemake
from snakemake_executor_plugin_slurm import Executor, ExecutorSettings

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())

# Does not answer for the first 20 times.
SQUEUE = """#!/bin/sh
echo >> calls
[ $(wc -l < calls) -gt 20 ] && echo "7|RUNNING"
"""


def test_jobs_are_watched_again_after_slurm_did_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin forgets jobs, without a word, if a check fails as often as it may."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "squeue").write_text(SQUEUE)
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho MinJobAge = 300 sec\n")
    for name in ("squeue", "scontrol"):
        (tmp_path / name).chmod(0o755)
    attempts = PROFILE.get("slurm-status-attempts", ExecutorSettings.status_attempts)
    settings = ExecutorSettings(
        status_command=PROFILE["slurm-status-command"], status_attempts=attempts
    )
    executor = SimpleNamespace(
        workflow=SimpleNamespace(executor_settings=settings),
        logger=logging.getLogger(),
        run_uuid="name",
        get_status_command=lambda: settings.status_command,
        status_rate_limiter=AsyncExitStack(),  # no wait
        next_seconds_between_status_checks=10,
        _status_query_calls=0,
        _status_query_failures=0,
        _status_query_total_seconds=0.0,
        _status_query_min_seconds=None,
        _status_query_max_seconds=0.0,
        _status_query_cycle_rows=[],
    )
    job = SimpleNamespace(external_jobid="7", aux={})

    async def watched() -> list[SimpleNamespace]:
        return [job async for job in Executor.check_active_jobs(executor, [job])]

    assert asyncio.run(watched()) == [job]
    # A failed query may take no time at all, so what counts is the wait between two.
    assert attempts / PROFILE["max-status-checks-per-second"] >= 30 * 60


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return copy_project(tmp_path_factory.mktemp("config"))


@pytest.mark.parametrize(
    "text",
    [
        r'reward={text: {template: "Human: {instruction}\n\nAssistant: {answer}"}}',
        "look={x_label: $HOME}",
        "look={x_label: '`id`'}",
        """look={x_label: "it's"}""",
        "look={x_label: 'two\nlines'}",
    ],
)
def test_a_config_that_jobs_would_not_get_is_refused(checkout: Checkout, text: str) -> None:
    call = ("-n", "results/table4.csv", "--config", text)
    done = checkout.snakemake(*call, "--profile", "slurm", check=False)
    assert done.returncode != 0
    assert "would reach batch jobs as something else; put this into config.yaml" in done.stdout


def test_without_a_scheduler_any_config_is_fine(checkout: Checkout) -> None:
    checkout.snakemake("-n", "results/table4.csv", "--config", "look={x_label: '$x$'}")


def test_an_unknown_account_is_reported_for_a_group(tmp_path: Path) -> None:
    """The plugin asks SLURM for accounts before it submits; what it finds must be reported."""
    for name in ("sacctmgr", "scontrol", "squeue"):
        (tmp_path / name).write_text("#!/bin/sh\necho another_account\n")
        (tmp_path / name).chmod(0o755)
    folder = copy_project(tmp_path / "project").folder
    resources = ("--default-resources", "mem_mb=10", "runtime=1", "slurm_account=mine")
    call = ("results/corpus/flan", "--profile", "slurm", "--retries", "0", *resources)
    # On failure Snakemake would wait forever.
    done = run_snakemake(folder, *call, limit=60, python=str(tmp_path))
    assert done.returncode == 1
    assert "The given account mine appears to be invalid" in done.stdout


def test_a_hub_model_that_is_not_here_is_to_be_fetched_before_its_jobs(checkout: Checkout) -> None:
    """Before it is here its shape is a guess: 2 GPUs for Llama 3.2 3B, and 4 afterwards."""
    config = ("model={name: meta-llama/Llama-3.2-3B, parameters: 3212749824}", "seeds=[0]")
    call = ("-n", "results/fig4_flan.pdf", "--config", *config)
    advice = "fetch it first: snakemake results/raw/model/model/fetched.json"
    assert advice in checkout.snakemake(*call, "--profile", "slurm").stdout
    assert advice not in checkout.snakemake(*call).stdout
    set_by_hand = "hardware={train: {gpus: 4, offload: false}}"
    assert advice not in checkout.snakemake(*call, set_by_hand, "--profile", "slurm").stdout
