"""Metrics to TensorBoard or Weights & Biases, through the callbacks of transformers."""

import argparse
import os
import uuid
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section

Tracker = Literal["tensorboard", "wandb"]

PACKAGES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}


class Tracking(Section):
    """Where the metrics of a run go; nothing that is computed depends on it."""

    report_to: tuple[Tracker, ...] = ()
    run: str = ""
    folder: Path = Path("tracking")

    def callbacks(self, part: str, job: str, *, anew: bool) -> list[Any]:
        """Return the callbacks of the trackers, for a Trainer or for `log`.

        Parameters
        ----------
        part
            What is tracked of the run: `train`, or a test set.
        job
            Its segment, `START-STOP`. TensorBoard joins the jobs of a run, and Weights & Biases
            goes on with the run of a part.
        anew
            The job does not go on where one that was killed has left off.

        Raises
        ------
        InputError
            If a package is missing.
        """
        check_packages(self.report_to)
        folder = self.folder / self.run
        found: list[Any] = []
        if "tensorboard" in self.report_to:
            found.append(_tensorboard(folder, f".{part}.{job}", anew))
        if "wandb" in self.report_to:
            found.append(_wandb(folder, f"{self.run} {part}", part, anew and job.startswith("0-")))
        return found


NOT_TRACKED = Tracking()


def add_flag(to: argparse.ArgumentParser) -> None:
    """Add the flag of programs whose metrics may be tracked."""
    to.add_argument(
        "--tracking",
        type=cli.checked(Tracking.parse),
        default=NOT_TRACKED,
        metavar="JSON",
        help="where metrics go: report_to (list of tensorboard, wandb), run (name) and folder",
    )


def check_packages(report_to: Sequence[Tracker]) -> None:
    """Raise InputError if the package of a tracker is missing."""
    for name in report_to:
        if not any(map(find_spec, PACKAGES[name])):
            raise InputError(
                f"report_to: '{name}' needs a package that is not installed here; pip install "
                f"{' or '.join(PACKAGES[name])}, or leave it out of report_to"
            )


def _tensorboard(folder: Path, suffix: str, anew: bool) -> Any:
    from transformers.integrations import TensorBoardCallback

    callback = TensorBoardCallback()
    if anew:
        for old in folder.glob(f"events.*{suffix}"):
            old.unlink()
    callback.tb_writer = callback._SummaryWriter(str(folder), filename_suffix=suffix)
    return callback


def _wandb(folder: Path, name: str, part: str, anew: bool) -> Any:
    """Return the callback, which starts the run that the environment names."""
    from transformers.integrations import WandbCallback

    folder.mkdir(parents=True, exist_ok=True)
    note = folder / f"wandb-{part}"
    if anew or not note.exists():
        note.write_text(uuid.uuid4().hex)
    os.environ |= {"WANDB_RUN_ID": note.read_text(), "WANDB_RESUME": "allow", "WANDB_NAME": name}
    os.environ.setdefault("WANDB_PROJECT", "nearfirst")
    os.environ.setdefault("WANDB_DIR", str(folder))
    return WandbCallback()


def log(callbacks: list[Any], folder: Path, metrics: dict[int, dict[str, float]]) -> None:
    """Send metrics by step where no Trainer does; `folder` is that of a Trainer that never was."""
    if not callbacks:
        return
    from transformers import TrainerControl, TrainerState, TrainingArguments

    arguments = TrainingArguments(str(folder), report_to="none", run_name=os.getenv("WANDB_NAME"))
    control = TrainerControl()
    for callback in callbacks:
        for step, its in metrics.items():
            callback.on_log(arguments, TrainerState(global_step=step), control, logs=its)
        callback.on_train_end(arguments, TrainerState(), control)
