"""GPU-hours: how much work the jobs are, times what a unit of it took. No rate is ever guessed."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nearfirst.common.errors import InputError
from nearfirst.hardware import HardwareSettings
from nearfirst.plan.dry_run import Job
from nearfirst.plan.lengths import Lengths, checkpoints

HARDWARE = {
    "train": "train",
    "evaluate": "evaluate",
    "generate": "generate",
    "reward": "reward",
    "train_reward": "reward",
}
"""The rules that may ask for GPUs, and the section of `hardware` that says how many."""

STEP, CHECKPOINT, INSTANCE = "step", "checkpoint", "instance of a checkpoint"
"""Units of work."""


@dataclass(frozen=True)
class Rate:
    """Seconds for a unit of work, and where that is from."""

    seconds: float
    unit: str
    source: str


@dataclass(frozen=True)
class Cost:
    """What the jobs of one rule take: hours of jobs, hours of GPUs, and what is asked for."""

    rule: str
    jobs: int
    gpus: int
    work: int
    """In units of the rate; without a rate in the rule's plain one."""
    unit: str
    at_most: bool
    uncounted: int
    """Jobs whose work is not known yet; no hours of theirs are in the sums."""
    rate: Rate | None
    hours: float | None
    gpu_hours: float | None
    requested_gpu_hours: float
    """Time limits of the first attempts times GPUs: no more is spent without another attempt."""


@dataclass(frozen=True)
class Work:
    """How much one job does, by unit, and whether that is the most it can be."""

    amounts: Mapping[str, int]
    at_most: bool


def work_of(job: Job, lengths: Lengths) -> Work | None:
    """Return the work of a job; None if its run's length is not known yet."""
    said = job.wildcards
    if not {"start", "stop"} <= said.keys():
        return None
    start = int(said["start"])
    stop = lengths.stop(said["dataset"], said["arrangement"], said["seed"], said["stop"])
    if stop is None:
        return None
    if job.rule == "train":
        return Work({STEP: stop.number - start}, not stop.exact)
    number = checkpoints(start, stop.number, lengths.config.train.checkpoint_every)
    instances = lengths.instances(said["dataset"], said["test"])
    if instances is None:
        return Work({CHECKPOINT: number}, not stop.exact)
    amounts = {CHECKPOINT: number, INSTANCE: number * instances.number}
    return Work(amounts, not (stop.exact and instances.exact))


def measured(rule: str, done: Sequence[Job], lengths: Lengths) -> Rate | None:
    """Return the median rate of jobs that are up to date, from their benchmark files.

    Up to date they ran with the settings of today. A job that was killed and went on counts with
    what its last part took.

    Raises
    ------
    InputError
        If a benchmark file cannot be read.
    """
    unit = STEP if rule == "train" else INSTANCE
    found = []
    for job in done:
        if job.rule == rule and job.benchmark and Path(job.benchmark).is_file():
            work = work_of(job, lengths)
            if work and not work.at_most and work.amounts.get(unit):
                found.append(_seconds(Path(job.benchmark)) / work.amounts[unit])
    if not found:
        return None
    folder = f"results/benchmarks/{rule}"
    return Rate(median(found), unit, f"measured in {folder}, {len(found)} jobs")


def _seconds(path: Path) -> float:
    """Return the wall-clock seconds of a benchmark file."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        return float(rows[-1]["s"])
    except (OSError, ValueError, KeyError, IndexError):
        raise InputError(f"{path}: no benchmark of Snakemake; remove the file") from None


def cost_of(
    rule: str, jobs: Sequence[Job], rate: Rate | None, lengths: Lengths, hardware: HardwareSettings
) -> Cost:
    """Return what the jobs of a rule take.

    Parameters
    ----------
    rule
        One of HARDWARE.
    jobs
        Its jobs.
    rate
        What a unit of its work takes; None if that is not known.
    lengths
        Of the runs.
    hardware
        How many GPUs a job has, and its time limit where the job names none.
    """
    machine = getattr(hardware, HARDWARE[rule])
    unit = rate.unit if rate else STEP if rule == "train" else CHECKPOINT
    works = [work for job in jobs if (work := work_of(job, lengths)) and unit in work.amounts]
    amount = sum(work.amounts[unit] for work in works)
    hours = rate.seconds * amount / 3600 if rate and works else None
    limits = [job.resources.get("runtime", "") for job in jobs]
    minutes = sum(int(said) if said.isdecimal() else machine.minutes for said in limits)
    return Cost(
        rule=rule,
        jobs=len(jobs),
        gpus=machine.gpus,
        work=amount,
        unit=unit,
        at_most=any(work.at_most for work in works),
        uncounted=len(jobs) - len(works),
        rate=rate,
        hours=hours,
        gpu_hours=None if hours is None else hours * machine.gpus,
        requested_gpu_hours=minutes / 60 * machine.gpus,
    )
