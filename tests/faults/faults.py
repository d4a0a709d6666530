"""Stage programs as jobs: command lines, outputs, and leftovers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from files import contents
from programs import Running, command

SHORT = {"max_length": 256}


@dataclass(frozen=True)
class Job:
    """A stage program with a folder that holds only its outputs and its log."""

    program: str
    arguments: tuple[str, ...]
    folder: Path
    outputs: tuple[str, ...]

    @property
    def log(self) -> Path:
        """The program's log."""
        return self.folder / "log"

    def start(self) -> Running:
        """Start the program, with torch imported, in a new process group."""
        return Running(command(self.program, *self.arguments, "--log", self.log))

    def finish(self) -> None:
        """Run the program, which must succeed."""
        process = self.start()
        assert process.wait() == 0, process.printed.read_text()

    def fail(self) -> str:
        """Run the program, which must fail with a one-line error; return that line."""
        process = self.start()
        code, printed = process.wait(), process.printed.read_text()
        assert code == 1, printed
        assert "Traceback" not in printed, printed
        (line,) = [line for line in printed.splitlines() if line.startswith("error:")]
        return line

    def debris(self) -> set[str]:
        """Return the names in the folder other than outputs and the log."""
        return {path.name for path in self.folder.iterdir()} - {"log", *self.outputs}

    def result(self) -> dict[str, bytes]:
        """Return the bytes of the outputs; the folder may hold nothing else but the log."""
        assert self.debris() == set()
        assert all((self.folder / name).exists() for name in self.outputs)
        files = contents(self.folder)
        files.pop("log", None)
        files.pop("state/checksums.json", None)  # it names the initial files of the run
        return files


Make = Callable[[Path, Path], Job]
Outputs = dict[Make, dict[str, bytes]]


def training(results: Path, folder: Path) -> Job:
    """Return a training job on a finished run's data: 64 steps, 9 checkpoints, 16 states."""
    return stage(
        "train.py",
        folder,
        ("checkpoints", "state"),
        model=results / "model/seed-0",
        instances=results / "instances/flan/train.parquet",
        arrangement=results / "arrangements/flan/random/seed-0.parquet",
        template=SHORT,
        settings={"batch_size": 4, "learning_rate": 1e-3, "checkpoint_every": 8},
        checkpoints=folder / "checkpoints",
        state=folder / "state",
        hardware={"state_every": 4},
    )


def evaluation(results: Path, folder: Path) -> Job:
    """Return an evaluation of a finished run's checkpoints."""
    return stage(
        "evaluate.py",
        folder,
        ("losses.parquet",),
        model=results / "model/seed-0",
        instances=results / "instances/flan/specialist-0.parquet",
        checkpoints=results / "checkpoints/flan/random/seed-0/0-end",
        template=SHORT,
        output=folder / "losses.parquet",
    )


def embedding(results: Path, folder: Path) -> Job:
    """Return an embedding of a finished run's test set."""
    return stage(
        "embed.py",
        folder,
        ("embeddings.parquet",),
        instances=results / "instances/flan/specialist-0.parquet",
        settings={"threads": 1},
        output=folder / "embeddings.parquet",
    )


def stage(
    program: str, folder: Path, outputs: tuple[str, ...], **flags: Path | dict[str, Any]
) -> Job:
    """Return a job of any program."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = []
    for name, value in flags.items():
        arguments += [f"--{name}", json.dumps(value) if isinstance(value, dict) else str(value)]
    return Job(program, tuple(arguments), folder, outputs)
