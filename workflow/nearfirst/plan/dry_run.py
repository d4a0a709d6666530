"""The jobs of a Snakemake dry run, and their config."""

import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nearfirst.common.errors import InputError
from nearfirst.config import Config, load

CHECKPOINTS = re.compile(r"(.+)/checkpoints/(.+)/(\d+)-(\d+|end)")


@dataclass(frozen=True)
class DryRun:
    """The number of jobs of each rule that would run, and the files they would write."""

    jobs: dict[str, int]
    outputs: frozenset[str]

    def segments(self) -> list[tuple[str, str, int, str]]:
        """Return (results folder, run, first step, last step or "end") of each training job."""
        groups = [match.groups() for path in self.outputs if (match := CHECKPOINTS.fullmatch(path))]
        return sorted((folder, run, int(start), stop) for folder, run, start, stop in groups)


def dry_run(arguments: Sequence[str]) -> DryRun:
    """Return what `snakemake ARGUMENTS` would run in this folder.

    If Snakemake refuses, prints its message and raises InputError.
    """
    # Without --quiet, a profile could hide the jobs.
    calls = (["--dry-run", "--nocolor", "--quiet", "host"], ["--summary"])
    with ThreadPoolExecutor() as pool:
        return parse(*pool.map(_snakemake, [[*arguments, *flags] for flags in calls]))


def _snakemake(arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", "snakemake", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        raise InputError("Snakemake refuses this call, for the reason above")
    return done.stdout + done.stderr


def parse(text: str, summary: str) -> DryRun:
    """Read the table "Job stats" of a dry run, and the pending outputs of `--summary`.

    Raises InputError if they disagree.
    """
    table = text.rpartition("Job stats:\n")[2].partition("\n\n")[0]
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    rows = [line.split("\t") for line in summary.splitlines() if line.count("\t") == 5]
    total = jobs.pop("total", 0)
    planned = DryRun(jobs, frozenset(row[0] for row in rows if row[5] == "update pending"))
    if total != sum(jobs.values()) or len(planned.segments()) != jobs.get("train", 0):
        raise InputError("plan.py cannot read the dry run of this version of Snakemake")
    return planned


def read_config(files: Sequence[str], changes: Sequence[str]) -> Config:
    """Return the config of `snakemake --configfile FILES --config CHANGES` in this folder.

    Call `dry_run` first, which checks them. A `config` in a profile is ignored.
    """
    from snakemake.utils import update_config  # type: ignore[import-untyped]

    config: dict[str, Any] = {}
    for path in ["config.yaml", *files]:
        update_config(config, yaml.safe_load(Path(path).read_text()) or {})
    for change in changes:
        key, _, value = change.partition("=")
        update_config(config, {key: yaml.safe_load(value)})
    return load(config, Path(__file__).parents[2] / "presets")
