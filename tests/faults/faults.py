"""Stage programs as jobs: command lines, outputs, and leftovers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from files import contents
from programs import Running, command

SHORT = {"max_length": 256}
RUN = {"batch_size": 4, "learning_rate": 1e-3, "checkpoint_every": 8}


@dataclass(frozen=True)
class Job:
    """A stage program with a folder that holds only its outputs and its log."""

    program: str
    arguments: tuple[str, ...]
    folder: Path
    outputs: frozenset[str]

    @property
    def log(self) -> Path:
        """The program's log."""
        return self.folder / "log"

    def start(self, log: bool = True) -> Running:
        """Start the program, with torch imported, in a new process group."""
        logged = ("--log", self.log) if log else ()
        return Running(command(self.program, *self.arguments, *logged))

    def finish(self) -> str:
        """Run the program, which must succeed; return its output."""
        process = self.start(log=False)
        code, printed = process.wait(), process.printed.read_text()
        assert code == 0, printed
        return printed

    def fail(self, log: bool = False) -> str:
        """Run the program, which must fail with a one-line error; return that line."""
        process = self.start(log)
        code, printed = process.wait(), process.printed.read_text()
        assert code == 1, printed
        assert "Traceback" not in printed, printed
        (line,) = [line for line in printed.splitlines() if line.startswith("error:")]
        return line

    def debris(self) -> set[str]:
        """Return the names in the folder other than outputs and the log."""
        return {path.name for path in self.folder.iterdir()} - {"log"} - self.outputs

    def result(self) -> dict[str, bytes]:
        """Return the bytes of the outputs; the folder may hold nothing else but the log."""
        assert self.debris() == set()
        assert all((self.folder / name).exists() for name in self.outputs)
        files = contents(self.folder)
        files.pop("log", None)
        files.pop("state/checksums.json", None)  # it names the initial files of the run
        return files


def training(results: Path, folder: Path, **flags: Any) -> Job:
    """Return a training job on a finished run's data: 64 steps, 9 checkpoints, 16 states.

    `flags` are flags of the program; `hardware` is merged with the one here.
    """
    arguments: dict[str, Any] = {
        "model": results / "model/seed-0",
        "instances": results / "instances/flan/train.parquet",
        "arrangement": results / "arrangements/flan/random/seed-0.parquet",
        "template": SHORT,
        "settings": RUN,
        "checkpoints": folder / "checkpoints",
        "state": folder / "state",
        **flags,
        "hardware": {"state_every": 4} | flags.get("hardware", {}),
    }
    return stage("train.py", folder, {"checkpoints", "state"}, **arguments)


def evaluation(results: Path, folder: Path, **flags: Any) -> Job:
    """Return an evaluation of a finished run's checkpoints."""
    arguments: dict[str, Any] = {
        "model": results / "model/seed-0",
        "instances": results / "instances/flan/specialist-0.parquet",
        "checkpoints": results / "checkpoints/flan/random/seed-0/0-end",
        "template": SHORT,
        "output": folder / "losses.parquet",
        **flags,
    }
    return stage("evaluate.py", folder, {"losses.parquet"}, **arguments)


def embedding(results: Path, folder: Path, **flags: Any) -> Job:
    """Return an embedding of a finished run's test set."""
    arguments: dict[str, Any] = {
        "instances": results / "instances/flan/specialist-0.parquet",
        "settings": {"threads": 1},
        "output": folder / "embeddings.parquet",
        **flags,
    }
    return stage("embed.py", folder, {"embeddings.parquet"}, **arguments)


def stage(program: str, folder: Path, outputs: set[str], **flags: Any) -> Job:
    """Return a job of any program; a flag's value is one argument, or a list of several."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = []
    for name, value in flags.items():
        values = value if isinstance(value, list) else [value]
        texts = [json.dumps(part) if isinstance(part, dict) else str(part) for part in values]
        arguments += [f"--{name.replace('_', '-')}", *texts]
    return Job(program, tuple(arguments), folder, frozenset(outputs))
