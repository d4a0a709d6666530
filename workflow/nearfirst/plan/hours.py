"""Hours of the jobs of each rule: their number times the median of measured ones."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from nearfirst.common.measured import job_seconds
from nearfirst.hardware import HardwareSettings
from nearfirst.plan.text import align

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
    rows = [("rule", "jobs", "median s", "hours", "GPU-hours")]
    total = gpu_total = 0.0
    for rule, count in sorted(jobs.items()):
        cells = ("?", "?", "?" if rule in gpus else "")
        if (each := seconds[rule]) is not None:
            rule_hours = count * each / 3600
            gpu_hours = rule_hours * gpus.get(rule, 0)
            total, gpu_total = total + rule_hours, gpu_total + gpu_hours
            on_gpus = f"{gpu_hours:,.2f}" if rule in gpus else ""
            cells = (f"{each:,.1f}", f"{rule_hours:,.2f}", on_gpus)
        rows.append((rule, f"{count:,}", *cells))
    rows.append(("total", f"{sum(jobs.values()):,}", "", f"{total:,.2f}", f"{gpu_total:,.2f}"))
    note = "\n?: not measured yet, so not in the totals; --seconds RULE=S gives a time"
    return align(rows) + (note if None in seconds.values() else "")


def measured(benchmarks: Path, rule: str) -> float | None:
    """Return the median seconds of a rule's benchmark files; None if there are none.

    Raises InputError if one of them cannot be read.
    """
    files = [*benchmarks.glob(f"{rule}/*.tsv"), *benchmarks.glob(f"{rule}.tsv")]
    return median(map(job_seconds, files)) if files else None
