"""The jobs of a Snakemake dry run, and their config."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from nearfirst.common.errors import InputError
from nearfirst.config import Config, load

SEGMENT = re.compile(r"^Job \d+: train (\S+), (\S+), seed (\d+), steps (\d+) to (\d+|end)$", re.M)


Segments = list[tuple[str, int, str]]
"""Training jobs: the run, DATASET/ARRANGEMENT/seed-SEED, its first step, its last one or "end"."""


def dry_run(arguments: Sequence[str]) -> tuple[dict[str, int], Segments]:
    """Return the number of jobs of each rule that `snakemake ARGUMENTS` would run in this folder.

    Jobs of training are listed, too. If Snakemake refuses, prints why and raises InputError.
    """
    # Without --quiet, a profile could hide the jobs.
    flags = ["--dry-run", "--nocolor", "--quiet", "host"]
    command = [sys.executable, "-m", "snakemake", *arguments, *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        raise InputError("Snakemake refuses this call, for the reason above")
    text = done.stdout + done.stderr
    table = text.rpartition("Job stats:\n")[2].partition("\n\n")[0]
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    jobs.pop("total", None)
    segments = [
        (f"{dataset}/{arrangement}/seed-{seed}", int(start), stop)
        for dataset, arrangement, seed, start, stop in SEGMENT.findall(text)
    ]
    return jobs, sorted(segments)


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
