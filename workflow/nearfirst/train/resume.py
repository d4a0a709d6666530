"""Where a training job resumes: which states are whole and belong to this run.

Nothing of a state is loaded before it matches its checksums.
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
    """Return what identifies a run: settings, instances in order, origin, kind of state, code.

    The origin is the base model, its revision and the state before; of folders, their files count.
    States are `sharded` if FSDP trains (`TrainHardware.is_sharded`).
    """
    data = hashlib.sha256()
    for item in chain.from_iterable(steps):
        data.update(item.ids.tobytes() + b"|" + item.labels.tobytes() + b"\n")
    begin = [(name, fingerprint.files(Path(name))) for name in origin]
    code = fingerprint.code(Path(__file__).with_name("segment.py"))
    return fingerprint.digest([settings.canonical(), data.hexdigest(), begin, sharded, code])


def save_checksums(
    state: Path,
    checkpoints: Path,
    run: str,
    sums: Mapping[Path, str] | None = None,
    skipped_steps: int = 0,
) -> None:
    """Write the checksums of a state, the newest, once the checkpoints up to it are on the disk.

    They list those checkpoints with their sizes, and those whose SHA-256 is in `sums`: resuming
    from this state does not write them again. They say, too, how many steps of the run so far were
    skipped. Files of the state whose SHA-256 is in `sums` are not read.
    """
    step = step_of(state)
    older = last_state(state.parents[1])
    facts = read_checksums(older) if older else None
    sizes: dict[str, int] = facts["checkpoints"] if facts else {}
    weights: dict[str, str] = facts["weights"] if facts else {}
    known = {name.partition("/")[0] for name in sizes}
    for folder in sorted(checkpoints.glob("step-*")):
        if step_of(folder) <= step and folder.name not in known:
            for file in sync(folder):
                name = str(file.relative_to(checkpoints))
                sizes[name] = file.stat().st_size
                if sums and file in sums:
                    weights[name] = sums[file]
    facts = {"step": step, "run": run, "checkpoints": sizes, "weights": weights}
    write_checksums(state, sums, **facts, skipped_steps=skipped_steps)


def finished(state: Path, checkpoints: Path, run: str, stop: int) -> bool:
    """Return whether the outputs of this very segment are there, whole.

    They are if another job, submitted by a Snakemake that was killed, has written them meanwhile.
    """
    facts = read_checksums(state) or {}
    if (facts.get("run"), facts.get("step")) != (run, stop):
        return False
    wrong = _wrong(state, checkpoints)
    if wrong:
        logging.warning("%s; this segment is trained again", wrong)
    return not wrong


def prepare(work: Path, run: str) -> None:
    """Clear a work folder of all that this run cannot use.

    Another run's folder is emptied. Of this run's, states go that do not match their checksums or
    lack one of their checkpoints, or whose removal was cut off, and so do checkpoints after the
    last state: the job writes them again.
    """
    note = work / "run"
    if not (note.is_file() and note.read_text() == run):
        if work.exists() and any(work.iterdir()):
            logging.info("%s belongs to another run: removed", work)
        remove(work)
    states, checkpoints = work / "states", work / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    note.write_text(run)
    found = sorted(states.glob("checkpoint-*"), key=step_of, reverse=True)
    while found and (wrong := _wrong(found[0], checkpoints)):
        logging.warning("%s; skipping the state of step %d", wrong, step_of(found[0]))
        remove(found.pop(0))
    for state in found[1:]:
        if not read_checksums(state):
            remove(state)
    last = step_of(found[0]) if found else -1
    for folder in checkpoints.glob("step-*"):
        if step_of(folder) > last:
            remove(folder)


def keep_two(states: Path) -> None:
    """Remove all but the two newest states; what a kill leaves of another has no checksums.

    By their steps, once the newest is whole. The Trainer's own limit goes by the folders' times: a
    removal that was cut off makes an old folder young, and the newest whole state went instead.
    """
    for state in sorted(states.glob("checkpoint-*"), key=step_of)[:-2]:
        (state / CHECKSUMS).unlink(missing_ok=True)
        remove(state)


def _wrong(state: Path, checkpoints: Path) -> str | None:
    """Return what is wrong with a state or the checkpoints that it counts on."""
    facts = read_checksums(state) or {}
    return damage(state) or wrong_size(checkpoints, facts["checkpoints"])


def last_state(work: Path) -> Path | None:
    """Return the newest state of a folder that `prepare` has cleared."""
    whole = [path for path in (work / "states").glob("checkpoint-*") if read_checksums(path)]
    return max(whole, key=step_of, default=None)


def check_state(state: Path, start: int, *, sharded: bool) -> None:
    """Check the state that the segment before has left.

    Raises
    ------
    InputError
        If it is damaged, of another step than `start`, or sharded where training is not now, or the
        other way round.
    """
    wrong = damage(state)
    if wrong:
        raise InputError(
            f"{wrong}; delete the folder {state} and run snakemake again: the segment before is "
            "trained again"
        )
    step = (read_checksums(state) or {})["step"]
    if step != start:
        raise InputError(f"{state}: the state of step {step}, not of --start {start}")
    if (state / "optimizer.bin").is_file() != sharded:
        now, then = ("with", "without") if sharded else ("without", "with")
        raise InputError(
            f"hardware.train.gpus, offload: training is {now} FSDP now (several GPUs, or offload), "
            f"but {state} was saved {then} it, in another form; set them back, or delete the "
            "states and run snakemake again to train from the start"
        )
