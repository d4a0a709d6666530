"""Copies of the project for tests that run the workflow."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warm import folder_of_python

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Checkout:
    """A folder with the files of the project and, perhaps, results."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in the checkout; return stdout and stderr combined.

        It and its jobs are forks of a process that has done their imports (`warm.py`). Jobs that
        tests kill are not, and must give the same bytes.
        """
        return self.python("-m", "snakemake", *arguments, check=check)

    def python(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program or a module in the checkout, with its library, in a fork like a job."""
        folders = [folder_of_python(), str(Path(sys.executable).parent), os.environ["PATH"]]
        done = subprocess.run(
            [f"{folder_of_python()}/python", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": "workflow", "PATH": os.pathsep.join(folders)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def append_to_config(self, rows: str) -> None:
        """Add rows to `config.yaml`."""
        with (self.folder / "config.yaml").open("a") as file:
            file.write(f"\n{rows}")

    def would_run(self, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run lists."""
        output = self.snakemake("--dry-run", *arguments).stdout
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", output, re.DOTALL | re.MULTILINE)
        assert table or "Nothing to be done" in output, output
        rows = [line.split() for line in table[1].splitlines()] if table else []
        return {rule: int(count) for rule, count in rows if rule != "all"}


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


def make(
    folder: Path, *arguments: str, first: Path = Path(sys.executable).parent
) -> subprocess.CompletedProcess[str]:
    """Run make, without the variables of a make that runs this, and with a folder first on PATH."""
    kept = {k: v for k, v in os.environ.items() if not re.match("ARGS$|MAKE|MFLAGS", k)}
    kept["PATH"] = f"{first}{os.pathsep}{kept['PATH']}"
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=kept, capture_output=True, text=True
    )


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
