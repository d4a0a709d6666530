"""Memory of training, and disk space of checkpoints and states: each, per run and at the peak.

Only weights are counted: headers and a checkpoint's `config.json` add some kilobytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from nearfirst.common.parquet import open_parquet
from nearfirst.config import Config
from nearfirst.memory import BYTES, Shape, Training, cpu_memory, gpu_memory, training_state
from nearfirst.plan.dry_run import Segments
from nearfirst.requests import training_of
from nearfirst.shape import shape_of
from nearfirst.train.settings import TrainSettings

Runs = Mapping[str, Sequence[tuple[int, int]]]
"""Steps (start, stop] of the segments of each run, in order."""


def disk(
    jobs: Mapping[str, int], segments: Segments, config: Config, epoch_steps: int | None
) -> str:
    """Return a line for each size, or the key or flag to set if it is unknown."""
    train, keep = config.train, config.keep_checkpoints
    results = Path("results", config.run or "")
    runs = find_runs(segments, train, results / "arrangements", epoch_steps)
    shape = shape_of(config.model, results / "raw/model/model")
    if shape is None:
        return "Size of the model unknown: set model.parameters"
    left_out = len({run for run, *_ in segments}) - len(runs)
    text = f"{left_out} runs of unknown length, not counted: give --steps N" if left_out else ""
    if not runs:
        return text
    # Training waits only for losses on the data set's own test set (rule wait_for_evaluation).
    waits = "generate" not in jobs and jobs.get("evaluate", 0) <= len(segments)
    window = None if keep else 2 if waits else len(segments)
    # States saved by the clock may be as close as every step.
    state_every = config.hardware.train.state_every or 1
    job = training_of(shape, train, config.template, config.hardware.train)
    needs = memory(shape, job) | sizes(runs, job.trained(shape), train, state_every, window)
    count = f"{shape.parameters:,} parameters"
    text += f"\n{len(runs)} runs, {count}, keep_checkpoints: {str(keep).lower()}\n"
    return text.lstrip() + pd.Series(needs).map(size).to_string()


def find_runs(
    segments: Segments, train: TrainSettings, arrangements: Path, epoch_steps: int | None
) -> Runs:
    """Return the runs to train, without those of unknown length.

    A run to the end of its data has `epoch_steps`, or else the length of its arrangement, if that
    exists.
    """
    runs: dict[str, list[tuple[int, int]]] = {}
    for run, start, stop in segments:
        last = epoch_steps if stop == "end" else int(stop)
        arrangement = arrangements / f"{run}.parquet"
        if last is None and arrangement.is_file():
            with open_parquet(arrangement) as file:
                last = -(-file.metadata.num_rows // train.batch_size) * train.epochs
        if last is not None:
            runs.setdefault(run, []).append((start, last))
    return runs


def count_checkpoints(start: int, stop: int, every: int) -> int:
    """Return how many checkpoints the segment (start, stop] leaves.

    They are of every `every` steps, of step 0 and of the last step of the run.
    """
    return (start == 0) + stop // every - start // every + (stop % every != 0)


def count_states(start: int, stop: int, every: int) -> int:
    """Return the maximum number of states on disk while the segment (start, stop] is trained.

    They are the state of the previous segment, and those saved every `every` steps and at the end:
    a job keeps two, and writes a third before it deletes the first.
    """
    saved = stop // every - start // every + (stop % every != 0)
    return (start > 0) + min(saved, 3)


def memory(shape: Shape, job: Training) -> dict[str, int]:
    """Return the bytes of memory that training needs, by place."""
    needs = {"weights, gradients and Adam in training": training_state(shape, job)}
    if not job.sharded:
        needs["memory of training, on one CPU"] = cpu_memory(shape, job, on_gpu=False)
    gpu = f"memory of each of {job.gpus} GPUs" if job.gpus > 1 else "memory of the GPU"
    needs[gpu] = gpu_memory(shape, job)
    needs["memory beside the GPUs"] = cpu_memory(shape, job)
    return needs


def sizes(
    runs: Runs, parameters: int, train: TrainSettings, state_every: int, window: int | None
) -> dict[str, int]:
    """Return the bytes on disk of runs that train so many parameters, by what they are for.

    `state_every` is in steps. `window` is the maximum number of segments of a run whose checkpoints
    are on disk at a time; None keeps all.
    """
    weights = BYTES["float32"] * parameters
    checkpoint, state = BYTES[train.checkpoint_dtype] * parameters, 3 * weights
    checkpoints, states = [], []
    for run in runs.values():
        counts = [count_checkpoints(*segment, train.checkpoint_every) for segment in run]
        at_a_time = [sum(counts[i : i + (window or len(run))]) for i in range(len(run))]
        checkpoints.append(checkpoint * max(at_a_time))
        states.append(state * max(count_states(*segment, state_every) for segment in run))
    # Space that a run needs only while it is in progress.
    temporary = [a + b for a, b in zip(states, checkpoints, strict=True)] if window else states
    kept = 0 if window else sum(checkpoints)
    return {
        "state of a training job (weights, Adam)": state,
        f"checkpoint ({train.checkpoint_dtype})": checkpoint,
        "checkpoints of a run, at a time": max(checkpoints),
        "states of a run, at a time": max(states),
        "kept at the end": kept,
        "peak, one run at a time": kept + max(temporary),
        "peak, all runs at once": kept + sum(temporary),
    }


def size(number: float) -> str:
    """Format a number of bytes with three digits and a decimal unit."""
    units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while number >= 999.5 and len(units) > 1:
        number /= 1000
        units.pop(0)
    digits = 0 if units[0] == "B" or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:,.{digits}f} {units[0]}"
