"""The whole plan: jobs, runs, bytes and hours of one call of Snakemake."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nearfirst.plan.dry_run import Job, submissions
from nearfirst.plan.lengths import Lengths, checkpoints
from nearfirst.plan.parameters import Parameters, find_parameters
from nearfirst.plan.project import Project
from nearfirst.plan.rates import HARDWARE, Cost, Rate, cost_of, measured
from nearfirst.plan.storage import (
    ModelBytes,
    Run,
    Segment,
    bytes_at_end,
    model_bytes,
    peak_bytes,
    states_at_once,
)


@dataclass(frozen=True)
class RuleJobs:
    """The jobs of one rule: how many, and in how many group jobs of which group."""

    rule: str
    jobs: int
    local: bool
    groups: Mapping[str, int]


@dataclass(frozen=True)
class Plan:
    """What will be computed, and what it takes; bytes and GPU-hours are None if not known."""

    rules: Sequence[RuleJobs]
    jobs: int
    local_jobs: int
    submissions: int | None
    """Batch jobs; None where nothing is submitted."""
    keep_checkpoints: bool
    checkpoint_dtype: str
    gpus: int
    offload: bool
    parameters: Parameters | None
    model: ModelBytes | None
    runs: Sequence[Run]
    unknown_runs: Sequence[str]
    """Runs whose length is not known yet, as DATASET/ARRANGEMENT/seed-N: no bytes of theirs are in
    the sums."""
    at_once: int
    end_bytes: int | None
    peak_bytes: int | None
    costs: Sequence[Cost]


def make_plan(
    project: Project,
    jobs: Sequence[Job],
    needed: Sequence[Job],
    everything: Sequence[Job],
    *,
    parameters: int | None,
    at_once: int | None,
    rates: Mapping[str, Rate],
) -> Plan:
    """Return the plan of some jobs.

    Parameters
    ----------
    project
        The project they belong to.
    jobs
        The jobs to plan.
    needed
        The jobs that Snakemake would run now: what they make is not yet what it will be.
    everything
        The jobs that it would run from nothing: those of them that are not needed are up to date,
        and what they took is measured.
    parameters
        Of the base model, if the user says; else they are looked up.
    at_once
        Most runs in flight at a time; None for all.
    rates
        By rule what the user gives; the others are measured.

    Raises
    ------
    InputError
        If a file that tells a length, a rate or the model's shape cannot be read.
    """
    config = project.config
    remade = {output for job in needed for output in job.outputs}
    lengths = Lengths(config, remade)
    found = find_parameters(config.model, parameters, remade)
    model = model_bytes(found.number, config.train.checkpoint_dtype) if found else None
    runs, unknown = _runs(jobs, lengths)
    at_once = min(at_once or len(runs), len(runs))
    kept = config.keep_checkpoints
    waiting = {job.key for job in needed}
    done = [job for job in everything if job.key not in waiting]
    by_rule = {rule: [job for job in jobs if job.rule == rule] for rule in HARDWARE}
    return Plan(
        rules=_rules(jobs, project),
        jobs=len(jobs),
        local_jobs=sum(job.rule in project.local_rules for job in jobs),
        submissions=submissions(jobs, project.local_rules) if project.submits else None,
        keep_checkpoints=kept,
        checkpoint_dtype=config.train.checkpoint_dtype,
        gpus=config.hardware.train.gpus,
        offload=config.hardware.train.offload,
        parameters=found,
        model=model,
        runs=runs,
        unknown_runs=unknown,
        at_once=at_once,
        end_bytes=bytes_at_end(runs, model, kept) if model else None,
        peak_bytes=peak_bytes(runs, model, kept, at_once) if model else None,
        costs=[
            cost_of(
                rule,
                its,
                rates.get(rule) or measured(rule, done, lengths),
                lengths,
                config.hardware,
            )
            for rule, its in by_rule.items()
            if its
        ],
    )


def _rules(jobs: Sequence[Job], project: Project) -> list[RuleJobs]:
    """Return the jobs of each rule by name: the order of a dry run is not always the same."""
    found = []
    for rule, count in sorted(Counter(job.rule for job in jobs).items()):
        groups = {job.group for job in jobs if job.rule == rule and job.group}
        names = Counter(name for name, _ in groups)
        found.append(RuleJobs(rule, count, rule in project.local_rules, dict(names)))
    return found


def _runs(jobs: Sequence[Job], lengths: Lengths) -> tuple[list[Run], list[str]]:
    """Return the runs that are trained, and the names of those of unknown length."""
    config = lengths.config
    trained: dict[tuple[str, str, str], list[Job]] = {}
    readers: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for job in jobs:
        said = job.wildcards
        if job.rule in ("train", "evaluate", "generate"):
            run = said["dataset"], said["arrangement"], said["seed"]
            if job.rule == "train":
                trained.setdefault(run, []).append(job)
            else:
                readers.setdefault(run, set()).add((job.rule, said["test"]))
    runs, unknown = [], []
    for run, its in trained.items():
        dataset, arrangement, seed = run
        starts = [int(job.wildcards["start"]) for job in its]
        stops = [lengths.stop(*run, job.wildcards["stop"]) for job in its]
        segments = [
            Segment(
                start,
                stop.number,
                checkpoints(start, stop.number, config.train.checkpoint_every),
                states_at_once(start, stop.number, config.hardware.train.state_every),
            )
            for start, stop in zip(starts, stops, strict=True)
            if stop
        ]
        if len(segments) < len(its):
            unknown.append(f"{dataset}/{arrangement}/seed-{seed}")
            continue
        own = {("evaluate", config.data[dataset].test)}
        runs.append(
            Run(
                dataset,
                arrangement,
                int(seed),
                tuple(sorted(segments, key=lambda segment: segment.start)),
                exact=all(stop.exact for stop in stops if stop),
                bounded=readers.get(run, set()) <= own,
            )
        )
    return runs, unknown
