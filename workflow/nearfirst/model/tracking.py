"""Metrics sent to TensorBoard or Weights & Biases, by the callbacks of transformers."""

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
    """Where a run's metrics go; no result depends on it."""

    report_to: tuple[Tracker, ...] = ()
    run: str = ""
    folder: Path = Path("tracking")

    def callbacks(self, part: str, segment: str, *, fresh: bool) -> list[Any]:
        """Return the trackers' callbacks, for a Trainer or for `log`.

        `part` is `train` or a test set. TensorBoard joins the segments (`START-STOP`) of a run;
        Weights & Biases continues the run of a part. `fresh` is False if the job continues a killed
        job.
        """
        folder = self.folder / self.run
        callbacks: list[Any] = []
        if "tensorboard" in self.report_to:
            callbacks.append(_tensorboard(folder, f".{part}.{segment}", fresh))
        if "wandb" in self.report_to:
            first = fresh and segment.startswith("0-")
            callbacks.append(_wandb(folder, f"{self.run} {part}", part, first))
        return callbacks


NOT_TRACKED = Tracking()


def add_flag(to: argparse.ArgumentParser) -> None:
    """Add the flag of programs whose metrics can be tracked."""
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


def _tensorboard(folder: Path, suffix: str, fresh: bool) -> Any:
    from transformers.integrations import TensorBoardCallback

    callback = TensorBoardCallback()
    if fresh:
        for old in folder.glob(f"events.*{suffix}"):
            old.unlink()
    callback.tb_writer = callback._SummaryWriter(str(folder), filename_suffix=suffix)
    return callback


def _wandb(folder: Path, name: str, part: str, first: bool) -> Any:
    """Return the callback, which starts or resumes the run named in the environment."""
    from transformers.integrations import WandbCallback

    folder.mkdir(parents=True, exist_ok=True)
    id_file = folder / f"wandb-{part}"
    if first or not id_file.exists():
        id_file.write_text(uuid.uuid4().hex)
    os.environ |= {"WANDB_RUN_ID": id_file.read_text(), "WANDB_RESUME": "allow", "WANDB_NAME": name}
    os.environ.setdefault("WANDB_PROJECT", "nearfirst")
    os.environ.setdefault("WANDB_DIR", str(folder))
    return WandbCallback()


def log(callbacks: list[Any], folder: Path, metrics: dict[int, dict[str, float]]) -> None:
    """Send metrics by step without a Trainer; `folder` fills in for the Trainer's output folder."""
    if not callbacks:
        return
    from transformers import TrainerControl, TrainerState, TrainingArguments

    arguments = TrainingArguments(str(folder), report_to="none", run_name=os.getenv("WANDB_NAME"))
    control = TrainerControl()
    for callback in callbacks:
        for step, values in metrics.items():
            callback.on_log(arguments, TrainerState(global_step=step), control, logs=values)
        callback.on_train_end(arguments, TrainerState(), control)
