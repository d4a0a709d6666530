"""What a job took, by the file that Snakemake's `benchmark:` wrote."""

import csv
from pathlib import Path

from nearfirst.common.errors import InputError


def job_seconds(path: Path) -> float:
    """Return the seconds of a job by its benchmark file; raises InputError if it is none."""
    try:
        with path.open(newline="") as file:
            return float(list(csv.DictReader(file, delimiter="\t"))[-1]["s"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise InputError(f"{path}: not a benchmark file of Snakemake; delete it") from None
