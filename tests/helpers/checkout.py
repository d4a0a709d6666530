"""Checkouts of their own for tests that run the workflow."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from warm import folder_of_python

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Checkout:
    """A folder with the files of the project and, perhaps, results."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in the checkout; stdout and stderr come back as one.

        Its jobs are forks of a process that has done their imports (`warm.py`). Batch jobs, and
        those that tests kill, are not, and have to give the same bytes.
        """
        places = [folder_of_python(), str(Path(sys.executable).parent), os.environ["PATH"]]
        path = os.pathsep.join(places)
        done = forked_snakemake(self.folder, *arguments, path=path)
        if check:
            assert done.returncode == 0, done.stdout
        return done

    def python(self, *arguments: object) -> None:
        """Run Python in the checkout, with its library."""
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
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
        output = forked_dry_run(self.folder, *arguments)
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", output, re.DOTALL | re.MULTILINE)
        assert table or "Nothing to be done" in output, output
        rows = [line.split() for line in table[1].splitlines()] if table else []
        return {rule: int(count) for rule, count in rows if rule != "all"}


def forked_dry_run(folder: Path, *arguments: str) -> str:
    """Return what a dry run in a folder prints."""
    done = forked_snakemake(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def forked_snakemake(
    folder: Path, *arguments: str, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder, with another PATH if given; stdout and stderr come back as one.

    It runs in a fork of this process, which imports Snakemake once for all of them: that is most of
    the time of a small one.
    """
    import snakemake.cli

    # What it and the checkout's library load once it runs.
    for name in ("snakemake_executor_plugin_slurm", "pydantic", "numpy"):
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
                # The checkout has its own library, and perhaps a changed one.
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
    """Copy what git knows or would add, as it is in the working tree, and set the preset."""
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


def flan_rows() -> list[dict[str, object]]:
    """Return 12 tasks of 6 instances in Flan-mini's form."""
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
