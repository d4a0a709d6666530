"""Hours of the jobs of each rule: their number times the median of measured ones."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

import pandas as pd

from nearfirst.common.measured import job_seconds
from nearfirst.hardware import HardwareSettings

STAGES = {
    **{stage: stage for stage in ("embed", "train", "evaluate", "generate", "reward")},
    **dict.fromkeys(("base_losses", "harness", "order_runs"), "evaluate"),
    "warm_up": "train",
    "train_reward": "reward",
}
"""The section of `hardware` with the GPUs of a rule's jobs; other rules have none."""


def hours(
    jobs: Mapping[str, int], seconds: Mapping[str, float | None], hardware: HardwareSettings
) -> str:
    """Return a line for each rule, and the totals of the known ones.

    `seconds` is the time of one job of each rule; None if unknown.
    """
    gpus = {rule: getattr(hardware, stage).gpus for rule, stage in STAGES.items()}
    table = pd.DataFrame({"jobs": jobs, "median s": seconds}, dtype=float).sort_index()
    table["hours"] = table["jobs"] * table["median s"] / 3600
    table["GPU-hours"] = table["hours"] * [gpus.get(rule, 0) for rule in table.index]
    total = table.sum()
    text = table.astype({"jobs": int}).to_string(float_format="{:,.2f}".format, na_rep="?")
    text += f"\ntotal: {total['jobs']:,.0f} jobs, {total['hours']:,.2f} hours, "
    text += f"{total['GPU-hours']:,.2f} GPU-hours"
    if None in seconds.values():
        text += "\n?: not measured yet, so not in the totals; --seconds RULE=S gives a time"
    return text


def measured(benchmarks: Path, rule: str) -> float | None:
    """Return the median seconds of a rule's benchmark files; None if there are none.

    Raises InputError if one of them cannot be read.
    """
    files = [*benchmarks.glob(f"{rule}/*.tsv"), *benchmarks.glob(f"{rule}.tsv")]
    return median(map(job_seconds, files)) if files else None
