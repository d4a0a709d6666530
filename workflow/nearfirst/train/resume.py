"""From where a training job goes on: which states there are, whether they hold, and whose they are.

Torch is not needed here, and nothing of a state is loaded before its seal was found to hold.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.files import remove, sync
from nearfirst.common.source_files import library_modules
from nearfirst.model.template import Tokens
from nearfirst.train.checksums import fault, read_seal, seal, wrong_size
from nearfirst.train.settings import TrainSettings


def identity(
    settings: TrainSettings, tokens: Sequence[Tokens], origin: Sequence[str], *, sharded: bool
) -> str:
    """Return what makes a run this run: settings, instances in order, where it begins, the code.

    Parameters
    ----------
    settings, tokens
        What is trained, and all instances in their order.
    origin
        Base model, revision and the state before, as far as there are; folders by what they hold.
    sharded
        Whether several processes share the model: their states have another form.
    """
    digest = hashlib.sha256(settings.canonical().encode())
    for item in tokens:
        digest.update(item.ids.tobytes() + b"|" + item.labels.tobytes() + b"\n")
    for name in origin:
        digest.update(name.encode())
        for path in sorted(file for file in Path(name).rglob("*") if file.is_file()):
            status = path.stat()  # of weights, size and time must do: hashing 27 GB takes minutes
            digest.update(json.dumps([path.name, status.st_size, status.st_mtime_ns]).encode())
    digest.update(b"sharded" * sharded)
    library = Path(__file__).parents[2]
    own = Path(__file__).with_name("segment.py")
    for path in [own, *library_modules(own, library)]:
        digest.update(path.read_bytes())
    for package in ("torch", "transformers", "accelerate"):
        digest.update(version(package).encode())
    return digest.hexdigest()


def step_folder(folder: Path, step: int) -> Path:
    """Return the folder of a step's checkpoint."""
    return folder / f"step-{step:06d}"


def step_of(path: Path) -> int:
    """Return the step of a checkpoint's or a state's folder."""
    return int(path.name.rpartition("-")[2])


def seal_state(state: Path, checkpoints: Path, run: str) -> None:
    """Seal a state, the newest; the checkpoints up to its step are on the disk before.

    Its seal lists them with their sizes: going on from this state they are not written again.
    """
    step = step_of(state)
    older = last_state(state.parents[1])
    facts = read_seal(older) if older else None
    sizes: dict[str, int] = facts["checkpoints"] if facts else {}
    known = {name.partition("/")[0] for name in sizes}
    for folder in sorted(checkpoints.glob("step-*")):
        if step_of(folder) <= step and folder.name not in known:
            for file in sync(folder):
                sizes[str(file.relative_to(checkpoints))] = file.stat().st_size
    seal(state, step=step, identity=run, checkpoints=sizes)


def finished(state: Path, checkpoints: Path, run: str, stop: int) -> bool:
    """Return whether the outputs of this very segment are there, whole.

    They are if another job, submitted by a Snakemake that was killed, wrote them meanwhile.
    """
    facts: dict[str, Any] = read_seal(state) or {}
    if (facts.get("identity"), facts.get("step")) != (run, stop):
        return False
    wrong = fault(state) or wrong_size(checkpoints, facts["checkpoints"])
    if wrong:
        logging.warning("%s; this segment is trained again", wrong)
    return not wrong


def claim(work: Path, run: str) -> None:
    """Make `work` the folder of this run, with nothing in it that cannot be used.

    A folder of another run is removed. Of this run, states are removed whose seal does not hold or
    whose checkpoints are not all there, and checkpoints after the last state: they are written
    again.
    """
    note = work / "identity"
    if not (note.is_file() and note.read_text() == run):
        if work.exists() and any(work.iterdir()):
            logging.info("%s is of another run: removed", work)
        remove(work)
    states, checkpoints = work / "states", work / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    note.write_text(run)
    found = sorted(states.glob("checkpoint-*"), key=step_of, reverse=True)
    while found:
        facts = read_seal(found[0]) or {}
        wrong = fault(found[0]) or wrong_size(checkpoints, facts["checkpoints"])
        if not wrong:
            break
        logging.warning("%s; the state of step %d is passed over", wrong, step_of(found[0]))
        remove(found.pop(0))
    last = step_of(found[0]) if found else -1
    for folder in checkpoints.glob("step-*"):
        if step_of(folder) > last:
            remove(folder)


def last_state(work: Path) -> Path | None:
    """Return the newest state of a folder that `claim` has cleared."""
    whole = [path for path in (work / "states").glob("checkpoint-*") if read_seal(path)]
    return max(whole, key=step_of, default=None)


def check_before(before: Path, start: int, *, sharded: bool) -> None:
    """Check the state that the segment before left.

    Raises
    ------
    InputError
        If it is damaged, of another step than `start`, or saved on one GPU where there are several
        now, or the other way round.
    """
    wrong = fault(before)
    if wrong:
        raise InputError(
            f"{wrong}; delete the folder {before} and run snakemake again: the segment before is "
            "trained again"
        )
    step = (read_seal(before) or {})["step"]
    if step != start:
        raise InputError(f"{before}: the state of step {step}, not of --start {start}")
    if (before / "optimizer.bin").is_file() != sharded:
        now, then = ("several GPUs", "one") if sharded else ("one GPU", "several")
        raise InputError(
            f"hardware.train.gpus: {now} now, but {before} was saved on {then}, in another form; "
            "set it back, or delete the states and run snakemake again to train from the start"
        )
