"""Where a training job resumes: which states are intact and belong to this run.

A state is never loaded before it has matched its checksums.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from nearfirst.common.errors import InputError
from nearfirst.common.files import remove, sync
from nearfirst.model import fingerprint
from nearfirst.model.checkpoints import step_of
from nearfirst.train.batches import Steps
from nearfirst.train.checksums import CHECKSUMS, damage, read_checksums, write_checksums, wrong_size
from nearfirst.train.settings import TrainSettings


def run_fingerprint(
    settings: TrainSettings, steps: Steps, origin: Sequence[str], *, sharded: bool
) -> str:
    """Return a digest of the settings, the instances in order, the origin and the code of a run.

    The origin is the base model and the state before; a folder counts by its files.
    `sharded` is `TrainHardware.is_sharded`: FSDP saves other states.
    """
    data = hashlib.sha256()
    for item in chain.from_iterable(steps):
        data.update(item.ids.tobytes() + b"|" + item.labels.tobytes() + b"\n")
    origin_files = fingerprint.folders(*origin)
    code = fingerprint.code(Path(__file__).with_name("segment.py"))
    return fingerprint.digest([settings.canonical(), data.hexdigest(), origin_files, sharded, code])


def save_checksums(
    state: Path, checkpoints: Path, run: str, sums: Mapping[Path, str], skipped_steps: int
) -> None:
    """Write the checksums of the newest state, once the checkpoints up to it are on disk.

    They also list those checkpoints with their sizes and, if in `sums`, their SHA-256: resuming
    from this state does not write them again. `skipped_steps` counts from the start of the run.
    Files of the state whose SHA-256 is in `sums` are not read.
    """
    step = step_of(state)
    previous = last_state(state.parents[1])
    facts = (read_checksums(previous) if previous else None) or {"checkpoints": {}, "weights": {}}
    sizes: dict[str, int] = facts["checkpoints"]
    weights: dict[str, str] = facts["weights"]
    listed = {name.partition("/")[0] for name in sizes}
    for folder in sorted(checkpoints.glob("step-*")):
        if step_of(folder) <= step and folder.name not in listed:
            for file in sync(folder):
                name = str(file.relative_to(checkpoints))
                sizes[name] = file.stat().st_size
                if file in sums:
                    weights[name] = sums[file]
    facts = {"step": step, "run": run, "checkpoints": sizes, "weights": weights}
    write_checksums(state, sums, **facts, skipped_steps=skipped_steps)


def finished(state: Path, checkpoints: Path, run: str, stop: int) -> bool:
    """Return whether this segment's outputs exist, intact.

    They do if another job, submitted by a Snakemake that was killed, has written them meanwhile.
    """
    facts = read_checksums(state) or {}
    return facts.get("step") == stop and not _find_fault(state, checkpoints, run)


def prepare(work: Path, run: str) -> None:
    """Clear a work folder of everything that this run cannot use.

    Remove states that belong to another run, do not match their checksums or lack a checkpoint, and
    checkpoints after the last state: the job writes them again.
    """
    states, checkpoints = work / "states", work / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    newest_first = sorted(states.glob("checkpoint-*"), key=step_of, reverse=True)
    while newest_first and (fault := _find_fault(newest_first[0], checkpoints, run)):
        logging.warning("%s; skipping the state of step %d", fault, step_of(newest_first[0]))
        remove(newest_first.pop(0))
    last = step_of(newest_first[0]) if newest_first else -1
    for folder in checkpoints.glob("step-*"):
        if step_of(folder) > last:
            remove(folder)


def keep_two(states: Path) -> None:
    """Remove all but the two newest states by step, once the newest is complete.

    The checksums go first, so that an interrupted removal leaves no valid state. The Trainer's own
    limit sorts by modification time: an interrupted removal would make an old folder the youngest,
    and the Trainer would remove the newest complete state.
    """
    for state in sorted(states.glob("checkpoint-*"), key=step_of)[:-2]:
        (state / CHECKSUMS).unlink(missing_ok=True)
        remove(state)


def _find_fault(state: Path, checkpoints: Path, run: str) -> str | None:
    """Return why a run cannot use a state and the checkpoints that it lists; None if it can."""
    facts = read_checksums(state) or {}
    if facts.get("run", run) != run:
        return f"{state} belongs to another run"
    return damage(state) or wrong_size(checkpoints, facts["checkpoints"])


def last_state(work: Path) -> Path | None:
    """Return the newest state in a folder that `prepare` has cleared."""
    complete = [path for path in (work / "states").glob("checkpoint-*") if read_checksums(path)]
    return max(complete, key=step_of, default=None)


def check_state(state: Path, *, sharded: bool) -> None:
    """Check the state left by the segment before.

    Raises InputError if it is damaged, or is sharded while training now is not, or the reverse.
    """
    if fault := damage(state):
        raise InputError(
            f"{fault}; delete the folder {state} and run snakemake again: the segment before is "
            "trained again"
        )
    if (state / "optimizer.bin").is_file() != sharded:
        now, then = ("with", "without") if sharded else ("without", "with")
        raise InputError(
            f"hardware.train.gpus, offload: training is {now} FSDP now (several GPUs, or offload), "
            f"but {state} was saved {then} it, in another format; restore the settings, or delete "
            "the states and run snakemake again to train from the start"
        )
