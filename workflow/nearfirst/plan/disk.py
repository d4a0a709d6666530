"""Memory of training, and bytes of checkpoints and states: of one, of a run, and at the peak.

On disk only weights count: headers and a checkpoint's `config.json` add some kilobytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nearfirst.common.parquet import open_parquet
from nearfirst.config import Config
from nearfirst.memory import BYTES, Shape, Training, cpu_memory, gpu_memory, held
from nearfirst.plan.dry_run import DryRun
from nearfirst.plan.parameters import count_parameters
from nearfirst.plan.text import align, size
from nearfirst.requests import training_of
from nearfirst.shape import shape_of
from nearfirst.train.settings import TrainSettings

Runs = Mapping[str, Sequence[tuple[int, int]]]
"""By run the steps (start, stop] of each segment, in order."""


def disk(found: DryRun, config: Config, epoch_steps: int | None) -> str:
    """Return a line for each size, or what to set to know it."""
    segments, train, keep = found.segments(), config.train, config.keep_checkpoints
    runs = find_runs(found, train, epoch_steps)
    fetched = Path(segments[0][0]) / "raw/model/model"
    parameters = count_parameters(config.model, fetched)
    if parameters is None:
        return "Size of the model unknown: set model.parameters"
    left_out = len({run for _, run, *_ in segments}) - len(runs)
    text = f"{left_out} runs of unknown length, not counted: give --steps N" if left_out else ""
    if not runs:
        return text
    # Training waits only for losses on the data set's own test set (rule wait_for_evaluation).
    waits = "generate" not in found.jobs and found.jobs.get("evaluate", 0) <= len(segments)
    window = None if keep else 2 if waits else len(segments)
    # Where the clock decides, it may be every step.
    state_every = config.hardware.train.state_every or 1
    shape = shape_of(config.model, fetched)
    if shape is None:
        its = sizes(runs, parameters, train, state_every, window)
    else:
        shape = replace(shape, parameters=parameters)
        job = training_of(shape, train, config.template, config.hardware.train)
        its = sizes(runs, job.trained(shape), train, state_every, window)
        its = memory(shape, job) | its
    text += (
        f"\n{len(runs)} runs, {parameters:,} parameters, keep_checkpoints: {str(keep).lower()}\n"
    )
    return text.lstrip() + align([(name, size(number)) for name, number in its.items()])


def find_runs(found: DryRun, train: TrainSettings, epoch_steps: int | None) -> Runs:
    """Return the runs to train, without those whose length is unknown.

    A run to the end of its data ends at `epoch_steps`, or else with its arrangement, if that is
    there and stays.
    """
    runs: dict[str, list[tuple[int, int]]] = {}
    for results, run, start, stop in found.segments():
        last = epoch_steps if stop == "end" else int(stop)
        arrangement = f"{results}/arrangements/{run}.parquet"
        if last is None and Path(arrangement).is_file() and arrangement not in found.outputs:
            with open_parquet(Path(arrangement)) as file:
                last = -(-file.metadata.num_rows // train.batch_size) * train.epochs
        if last is not None:
            runs.setdefault(run, []).append((start, last))
    return runs


def count_checkpoints(start: int, stop: int, every: int) -> int:
    """Return how many checkpoints the segment (start, stop] leaves.

    One every `every` steps, step 0 before the first, and the last step of the run.
    """
    return (start == 0) + stop // every - start // every + (stop % every != 0)


def count_states(start: int, stop: int, every: int) -> int:
    """Return the most states on disk while the segment (start, stop] is trained.

    They are the state of the segment before, and those saved every `every` steps and at the end:
    a job keeps two of its own, and writes a third before it deletes the first.
    """
    saved = stop // every - start // every + (stop % every != 0)
    return (start > 0) + min(saved, 3)


def memory(shape: Shape, job: Training) -> dict[str, int]:
    """Return bytes that training takes of memory, by where."""
    places = {"memory of training, on one CPU": cpu_memory(shape, job, on_gpu=False)}
    if job.sharded:
        places = {}
    return {
        "weights, gradients and Adam in training": held(shape, job),
        **places,
        f"memory of each of {job.gpus} GPUs" if job.gpus > 1 else "memory of the GPU": gpu_memory(
            shape, job
        ),
        "memory beside the GPUs": cpu_memory(shape, job),
    }


def sizes(
    runs: Runs, parameters: int, train: TrainSettings, state_every: int, window: int | None
) -> dict[str, int]:
    """Return bytes by what they are of, of runs in which so many parameters are trained.

    `state_every` is in steps. `window` is the most segments of a run whose checkpoints are on disk
    at a time; None keeps all for good.
    """
    weights = BYTES["float32"] * parameters
    checkpoint, state = BYTES[train.checkpoint_dtype] * parameters, 3 * weights
    checkpoints, states = [], []
    for run in runs.values():
        counts = [count_checkpoints(*segment, train.checkpoint_every) for segment in run]
        at_a_time = [sum(counts[at : at + (window or len(run))]) for at in range(len(run))]
        checkpoints.append(checkpoint * max(at_a_time))
        states.append(state * max(count_states(*segment, state_every) for segment in run))
    # What a run takes while it is in progress, beside what is kept.
    passing = [a + b for a, b in zip(states, checkpoints, strict=True)] if window else states
    kept = 0 if window else sum(checkpoints)
    return {
        "state of a training job (weights, Adam)": state,
        f"checkpoint ({train.checkpoint_dtype})": checkpoint,
        "checkpoints of a run, at a time": max(checkpoints),
        "states of a run, at a time": max(states),
        "kept at the end": kept,
        "peak, one run at a time": kept + max(passing),
        "peak, all runs at once": kept + sum(passing),
    }
