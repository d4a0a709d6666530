"""Stage programs as jobs: their command lines, their outputs, what must not be left behind."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from checkout import ROOT

PROGRAMS = ROOT / "workflow/scripts"
SHORT = {"max_length": 256}
RUN = {"batch_size": 4, "micro_batch_size": 4, "learning_rate": 1e-3, "checkpoint_every": 8}


def environment() -> dict[str, str]:
    """The library is found, no test waits for a network, and a job has one core."""
    return os.environ | {
        "PYTHONPATH": str(ROOT / "workflow"),
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@dataclass(frozen=True)
class Job:
    """A stage program whose outputs lie in a folder with nothing else but its log."""

    program: str
    arguments: tuple[str, ...]
    folder: Path
    outputs: frozenset[str]

    def command(self, log: bool = True) -> list[str]:
        """Return the command line."""
        logged = ["--log", str(self.log)] if log else []
        return [sys.executable, str(PROGRAMS / self.program), *self.arguments, *logged]

    @property
    def log(self) -> Path:
        """Where the program's progress goes."""
        return self.folder / "log"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the program as the first process of a group of its own."""
        return subprocess.Popen(
            self.command(),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def finish(self) -> None:
        """Run the program to its good end."""
        code = self.start().wait(timeout=300)
        assert code == 0, self.log.read_text()

    def debris(self) -> set[str]:
        """Return the names in the folder that are neither outputs nor the log."""
        return {path.name for path in self.folder.iterdir()} - {"log"} - self.outputs

    def result(self) -> dict[str, bytes]:
        """Return the bytes of the outputs; the folder may hold nothing else but the log."""
        assert self.debris() == set()
        assert all((self.folder / name).exists() for name in self.outputs)
        found = contents(self.folder)
        found.pop("log", None)
        found.pop("state/seal.json", None)  # it names the files that the run began with
        return found

    def clear(self) -> None:
        """Remove all that the program wrote."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()


class WarmProcess:
    """A program that the server has started; to be used as a `subprocess.Popen`."""

    def __init__(self, answers: IO[bytes]) -> None:
        self.answers = answers
        self.pid = int(answers.readline())
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; return the exit code."""
        if self.returncode is None:
            if not select.select([self.answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("warm", timeout or 0)
            self.returncode = int(self.answers.readline())
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit code if it has ended."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None


Process = subprocess.Popen[bytes] | WarmProcess


@dataclass(frozen=True)
class Warm:
    """Runs stage programs in processes that need not import torch anew (see warm.py)."""

    server: subprocess.Popen[bytes]
    printed: Path

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator[Warm]:
        """Start the server that holds torch; it ends with the block."""
        command = [sys.executable, str(Path(__file__).with_name("warm.py"))]
        pipe = subprocess.PIPE
        # Unbuffered: what `select` does not see has not come.
        with subprocess.Popen(
            command, env=environment(), stdin=pipe, stdout=pipe, bufsize=0
        ) as server:
            yield cls(server, folder / "printed")
            assert server.stdin is not None
            server.stdin.close()

    def start(self, job: Job, limit: int | None = None, log: bool = True) -> WarmProcess:
        """Start a job, with files of at most `limit` bytes; one at a time."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        call = [job.command(log)[1:], str(self.printed), limit]
        self.server.stdin.write(f"{json.dumps(call)}\n".encode())
        return WarmProcess(self.server.stdout)

    def run(self, job: Job, limit: int | None = None, log: bool = False) -> tuple[int, str]:
        """Run a job to its end; return its exit code and what it has printed."""
        return self.start(job, limit, log).wait(), self.printed.read_text()

    def finish(self, job: Job) -> str:
        """Run a job to its good end; return what it printed."""
        code, printed = self.run(job)
        assert code == 0, printed
        return printed

    def fail(self, job: Job, limit: int | None = None) -> str:
        """Run a job that has to fail with one line; return that line."""
        code, printed = self.run(job, limit)
        assert code == 1, printed
        assert "Traceback" not in printed, printed
        (line,) = [line for line in printed.splitlines() if line.startswith("error:")]
        return line


def training(results: Path, folder: Path, **flags: Any) -> Job:
    """Return a training job on a finished run's data: 64 steps, 9 checkpoints, 16 states.

    Flags of the program come by name; `settings` and `hardware` are added to those here.
    """
    given: dict[str, Any] = {
        "model": results / "model",
        "instances": results / "instances/flan/train.parquet",
        "arrangement": results / "arrangements/flan/random/seed-0.parquet",
        "template": SHORT,
        "checkpoints": folder / "checkpoints",
        "state": folder / "state",
        **flags,
        "settings": RUN | flags.get("settings", {}),
        "hardware": {"state_every": 4} | flags.get("hardware", {}),
    }
    return stage("train.py", folder, {"checkpoints", "state"}, **given)


def evaluation(results: Path, folder: Path, **flags: Any) -> Job:
    """Return an evaluation of a finished run's checkpoints."""
    given: dict[str, Any] = {
        "model": results / "model",
        "instances": results / "instances/flan/specialist-0.parquet",
        "checkpoints": results / "checkpoints/flan/random/seed-0/0-end",
        "template": SHORT,
        "output": folder / "losses.parquet",
        **flags,
    }
    return stage("evaluate.py", folder, {"losses.parquet"}, **given)


def embedding(results: Path, folder: Path, **flags: Any) -> Job:
    """Return an embedding of a finished run's test set."""
    given: dict[str, Any] = {
        "instances": results / "instances/flan/specialist-0.parquet",
        "settings": {"threads": 1},
        "output": folder / "embeddings.parquet",
        **flags,
    }
    return stage("embed.py", folder, {"embeddings.parquet"}, **given)


def stage(program: str, folder: Path, outputs: set[str], **flags: Any) -> Job:
    """Return a job of any program; a flag's value is one argument, or a list of several."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = []
    for name, value in flags.items():
        values = value if isinstance(value, list) else [value]
        texts = [json.dumps(part) if isinstance(part, dict) else str(part) for part in values]
        arguments += [f"--{name.replace('_', '-')}", *texts]
    return Job(program, tuple(arguments), folder, frozenset(outputs))
