"""What a job costs before it does anything: programs on so little data that nothing else counts.

Runs the preset `tiny` in a folder of its own, one job at a time, and has every program say at its
end how long it was there and whether it had imported torch. Each time is the shortest of that
program's jobs, in which its work is still contained; that of the CPU says more while other work
shares the machine. What the numbers mean: benchmarks/README.md.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
GOAL = 6
FILES = ("Snakefile", "config.yaml", "rules", "workflow", "envs", "profiles/default")
TARGETS = [
    *(f"{name}.pdf" for name in ("fig1_scores", "fig1_reward", "fig4_flan", "fig6_flan")),
    *(f"{name}.pdf" for name in ("fig11_scaled", "loss_types", "similarity_vs_loss")),
    *(f"{name}.csv" for name in ("fig4_flan_paired", "generalization", "table4", "leakage")),
    *(f"{name}.csv" for name in ("metric_stability", "metric_tasks")),
]
# Python runs it when it starts, before the program.
WATCH = """
import atexit, os, sys, time
since = time.perf_counter()

def tell():
    words = (os.path.basename(sys.argv[0]), time.perf_counter() - since, time.process_time())
    with open(os.environ["STARTUP_TIMES"], "a") as file:
        print(*words, "torch" in sys.modules, file=file)

atexit.register(tell)
"""


def copy(folder: Path) -> None:
    for name in FILES:
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


def run(folder: Path) -> Path:
    """Run the workflow; return the file of what the programs said."""
    times, watch = folder / "times", folder / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1"),
            *("--config", "preset=tiny", "seeds=[0]"),
            *("--", *(f"results/{name}" for name in TARGETS)),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(watch), "STARTUP_TIMES": str(times)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout[-2000:])
    return times


def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        copy(Path(temporary))
        print(f"start-up, load {os.getloadavg()[0]:.1f} before, goal {GOAL} s", flush=True)
        lines = run(Path(temporary)).read_text().splitlines()
    found = defaultdict(list)
    programs = {path.name for path in (REPOSITORY / "workflow/scripts").glob("*.py")}
    for line in lines:
        name, wall, cpu, torch = line.rsplit(maxsplit=3)
        if name in programs:
            found[name].append((float(wall), float(cpu), torch))
    for name, jobs in sorted(found.items(), key=lambda item: -min(item[1])[0]):
        wall, cpu, torch = (min(values) for values in zip(*jobs, strict=True))
        print(
            f"{name:<24} {wall:5.1f} s {'met' if wall <= GOAL else 'MISSED'}   of the CPU "
            f"{cpu:5.1f} s   {'torch' if torch == 'True' else '     '}   ({len(jobs)} jobs)"
        )
    print("not run:", ", ".join(sorted(programs - found.keys())))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where a folder for the run is made")
    main(parser.parse_args())
