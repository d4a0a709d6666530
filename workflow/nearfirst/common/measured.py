"""Running times of jobs, from the files that Snakemake's `benchmark:` writes."""

import csv
from pathlib import Path

from nearfirst.common.errors import InputError


def job_seconds(path: Path) -> float:
    """Return a job's seconds from its benchmark file; raise InputError if it is damaged."""
    try:
        with path.open(newline="") as file:
            return float(list(csv.DictReader(file, delimiter="\t"))[-1]["s"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise InputError(f"{path}: not a benchmark file of Snakemake; delete it") from None
