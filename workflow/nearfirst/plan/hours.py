"""How long the jobs of each rule take: their number times the median of those measured."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from nearfirst.common.measured import job_seconds
from nearfirst.hardware import HardwareSettings
from nearfirst.plan.text import align


def hours(
    jobs: Mapping[str, int], seconds: Mapping[str, float | None], hardware: HardwareSettings
) -> str:
    """Return a line for each rule, and the totals of what is known.

    `seconds` are those of one job of a rule; None if unknown.
    """
    gpus = {rule: getattr(hardware, rule).gpus for rule in ("train", "evaluate", "generate")}
    gpus |= dict.fromkeys(("reward", "train_reward"), hardware.reward.gpus)
    rows = [("rule", "jobs", "median s", "hours", "GPU-hours")]
    total = gpu_total = 0.0
    for rule, count in sorted(jobs.items()):
        cells = ("?", "?", "?" if rule in gpus else "")
        if (each := seconds[rule]) is not None:
            taken = count * each / 3600
            total, gpu_total = total + taken, gpu_total + taken * gpus.get(rule, 0)
            on_gpus = f"{taken * gpus[rule]:,.2f}" if rule in gpus else ""
            cells = (f"{each:,.1f}", f"{taken:,.2f}", on_gpus)
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
