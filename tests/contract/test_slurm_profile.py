"""What the SLURM profile sets holds for the installed plugin, without a cluster."""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from checkout import ROOT
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
