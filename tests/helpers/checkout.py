"""Copies of the project for tests that run the workflow."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from warm import folder_of_python

ROOT = Path(__file__).parents[2]
LOADED = (
    *("snakemake_executor_plugin_slurm", "snakemake.report.html_reporter", "smart_open"),
    *("pydantic", "pyarrow", "tqdm"),
)
"""What the Snakefile and Snakemake's plugins import."""


@dataclass(frozen=True)
class Checkout:
    """A folder with the files of the project and, perhaps, results."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in the checkout; return stdout and stderr combined.

        Its jobs are forks of a process that has done their imports (`warm.py`). Jobs that tests
        kill are not, and must give the same bytes.
        """
        folders = [folder_of_python(), str(Path(sys.executable).parent), os.environ["PATH"]]
        done = forked_snakemake(self.folder, *arguments, path=os.pathsep.join(folders))
        if check:
            assert done.returncode == 0, done.stdout
        return done

    def python(self, *arguments: object) -> None:
        """Run a program or a module in the checkout, with its library, in a fork like a job."""
        done = subprocess.run(
            [f"{folder_of_python()}/python", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": "workflow"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def append_to_config(self, rows: str) -> None:
        """Add rows to `config.yaml`."""
        with (self.folder / "config.yaml").open("a") as file:
            file.write(f"\n{rows}")

    def would_run(self, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run lists."""
        done = forked_snakemake(self.folder, "--dry-run", *arguments)
        assert done.returncode == 0, done.stdout
        output = done.stdout
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", output, re.DOTALL | re.MULTILINE)
        assert table or "Nothing to be done" in output, output
        rows = [line.split() for line in table[1].splitlines()] if table else []
        return {rule: int(count) for rule, count in rows if rule != "all"}


def forked_snakemake(
    folder: Path, *arguments: str, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder; return stdout and stderr combined. `path` replaces PATH.

    It runs in a fork of this process, which imports Snakemake once for all runs: imports take most
    of the time of a small run.
    """
    import snakemake.cli

    # Import what the run would load.
    for name in LOADED:
        importlib.import_module(name)
    with TemporaryFile("w+") as printed:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.chdir(folder)
                os.environ["PATH"] = path or os.environ["PATH"]
                for stream in (1, 2):
                    os.dup2(printed.fileno(), stream)
                sys.stdout = sys.stderr = printed
                # The checkout keeps its compiled library, which it may have changed.
                sys.dont_write_bytecode = False
                for name in [name for name in sys.modules if name.split(".")[0] == "nearfirst"]:
                    del sys.modules[name]
                sys.path = [path for path in sys.path if Path(path) != ROOT / "workflow"]
                snakemake.cli.main(list(arguments))
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                printed.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        printed.seek(0)
        return subprocess.CompletedProcess(
            arguments, os.waitstatus_to_exitcode(status), printed.read()
        )


def copy_project(to: Path, preset: str = "tiny") -> Checkout:
    """Copy the files of the working tree that git does not ignore, and set the preset."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, to / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    config = to / "config.yaml"
    config.write_text(config.read_text().replace("\npreset: mini", f"\npreset: {preset}"))
    return Checkout(to)


def flan_rows() -> list[dict[str, Any]]:
    """Return 12 tasks of 6 instances in the format of Flan-mini."""
    return [
        {
            "id": f"row_{task}_{number}",
            "source": f"task_{task}",
            "conversations": [
                {"from": "human", "value": f"Übung {task}: was folgt auf {number}?"},
                {"from": "gpt", "value": f"Auf {number} folgt {number + 1}."},
            ],
        }
        for task in range(12)
        for number in range(6)
    ]
