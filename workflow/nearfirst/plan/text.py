"""The plan as text that a person reads before submitting."""

from collections import Counter
from collections.abc import Iterable, Sequence

from nearfirst.plan.plan import Plan, RuleJobs
from nearfirst.plan.rates import Cost
from nearfirst.plan.storage import Run, checkpoints_at_once

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def text_of(plan: Plan, title: str) -> str:
    """Return the plan as text: what, jobs, storage, GPU-hours."""
    parts = [title, _jobs(plan), _model(plan), _storage(plan), _hours(plan.costs)]
    return "\n\n".join(part for part in parts if part)


def size(number: int) -> str:
    """Return bytes with a decimal unit and three digits."""
    if number < 1000:
        return f"{number} {UNITS[0]}"
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{_three(value)} {UNITS[unit]}"


def _three(value: float) -> str:
    """Return a number with three digits, and all of those before the point."""
    if value >= 99.95:
        return f"{value:,.0f}"
    if value >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.9995 or not value else f"{value:.3g}"


def _of(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _table(rows: Sequence[Sequence[str]], right: Iterable[int]) -> str:
    """Return rows of cells as aligned lines; the columns `right` end below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(f"  {line}".rstrip() for line in lines)


def _jobs(plan: Plan) -> str:
    if not plan.jobs:
        return "Jobs\n  none: all is up to date"
    rows = [[line.rule, f"{line.jobs:,}", _where(line, plan)] for line in plan.rules]
    total = ""
    if plan.submissions is not None:
        total = f"{_of(plan.submissions, 'batch job')}, {plan.local_jobs} here"
    return "Jobs\n" + _table([*rows, ["total", f"{plan.jobs:,}", total]], {1})


def _where(line: RuleJobs, plan: Plan) -> str:
    """Return how the jobs of a rule are submitted."""
    if plan.submissions is None:
        return ""
    if line.groups:
        return ", ".join(
            f"in {_of(number, 'batch job')} of group {name}" for name, number in line.groups.items()
        )
    return "here" if line.local else _of(line.jobs, "batch job")


def _model(plan: Plan) -> str:
    """Return the model and the runs that are trained."""
    lines = []
    if plan.parameters:
        lines.append(f"model: {plan.parameters.number:,} parameters ({plan.parameters.source})")
    kinds = Counter((run.steps, run.exact, run.checkpoints, len(run.segments)) for run in plan.runs)
    for (steps, exact, checkpoints, segments), number in kinds.items():
        lines.append(
            f"{_of(number, 'run')} of {'' if exact else 'at most '}{_of(steps, 'step')} to train: "
            f"{_of(checkpoints, 'checkpoint')} in {_of(segments, 'segment')}"
            f"{'' if number == 1 else ' each'}"
        )
    if plan.unknown_runs:
        names = dict.fromkeys(name.split("/")[0] for name in plan.unknown_runs)
        needed = " ".join(f"results/instances/{name}/train.parquet" for name in names)
        lines.append(
            f"{_of(len(plan.unknown_runs), 'run')} of a length not known yet, not counted below: "
            f"`snakemake {needed}` tells"
        )
    return "Runs\n" + "\n".join(f"  {line}" for line in lines) if plan.costs else ""


def _storage(plan: Plan) -> str:
    """Return the bytes of checkpoints and states."""
    if not (plan.runs or plan.unknown_runs):
        return ""
    head = "Storage of checkpoints and states (1 GB is 10^9 bytes)\n"
    if plan.model is None:
        return (
            f"{head}  not known: model.parameters is null and the model is not here yet; set it, "
            "or give --parameters"
        )
    place = f"over {plan.gpus} GPUs" if plan.gpus > 1 else "on one GPU"
    if plan.offload and plan.gpus > 1:
        place = "in CPU memory (offload)"
    model = plan.model
    rows = [
        ["weights, float32", size(model.weights), ""],
        ["optimizer, float32", size(model.optimizer), "Adam's two moments"],
        ["held in training", size(model.training), f"both and gradients, {place}; no activations"],
        ["state of a training job", size(model.state), "weights and optimizer"],
        [f"checkpoint, {plan.checkpoint_dtype}", size(model.checkpoint), ""],
    ]
    if plan.runs:
        rows += _of_runs(plan, plan.runs)
    return head + _table(rows, {1})


def _of_runs(plan: Plan, runs: Sequence[Run]) -> list[list[str]]:
    """Return the rows of the largest segment and run, and of all runs."""
    if plan.model is None or plan.peak_bytes is None or plan.end_bytes is None:
        return []
    one = plan.model.checkpoint
    segment = max(segment.checkpoints for run in runs for segment in run.segments)
    there = max(checkpoints_at_once(run, plan.keep_checkpoints) for run in runs)
    states = max(run.states for run in runs)
    left_out = f"; {_of(len(plan.unknown_runs), 'run')} not counted" if plan.unknown_runs else ""
    kept = str(plan.keep_checkpoints).lower()
    rows = [
        ["checkpoints of a segment", size(segment * one), f"{segment} at most"],
        ["checkpoints of a run", size(there * one), f"{there} at most at a time"],
        ["states of a run", size(states * plan.model.state), f"{states} at most at a time"],
        ["stays at the end", size(plan.end_bytes), f"keep_checkpoints: {kept}"],
        [
            "peak",
            size(plan.peak_bytes),
            f"{_of(plan.at_once, 'run')} in flight at a time{left_out}",
        ],
    ]
    if not plan.keep_checkpoints and not all(run.bounded for run in runs):
        rows[1][2] += ": answers, or losses on other test sets, may be made late"
    return rows


def _hours(costs: Sequence[Cost]) -> str:
    """Return the hours of each rule that may ask for a GPU."""
    if not costs:
        return ""
    rows = [["", "GPUs a job", "work", "job hours", "GPU-hours", "requested", "rate"]]
    for cost in costs:
        first, _, rest = cost.unit.partition(" ")
        work = f"{'at most ' * cost.at_most}{' '.join([_of(cost.work, first), rest]).rstrip()}"
        rate = "no rate measured"
        if cost.rate:
            rate = f"{cost.rate.seconds:.4g} s per {cost.rate.unit} ({cost.rate.source})"
        if cost.uncounted:
            rate += f"; {_of(cost.uncounted, 'job')} not counted"
        rows.append(
            [
                cost.rule,
                str(cost.gpus),
                work if cost.work else "",
                "" if cost.hours is None else _three(cost.hours),
                "" if cost.gpu_hours is None else _three(cost.gpu_hours),
                _three(cost.requested_gpu_hours),
                rate,
            ]
        )
    known = [cost.gpu_hours for cost in costs if cost.gpu_hours is not None]
    requested = sum(cost.requested_gpu_hours for cost in costs)
    whole = len(known) == len(costs) and not any(cost.uncounted for cost in costs)
    total = f"{'' if whole else 'at least '}{_three(sum(known))}" if known else ""
    rows.append(["total", "", "", "", total, _three(requested), ""])
    return "GPU-hours (requested: GPUs times the time limits of the first attempts)\n" + _table(
        rows, {1, 2, 3, 4, 5}
    )
