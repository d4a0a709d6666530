"""Start-up time of each program, on so little data that its work hardly counts.

Runs the preset `tiny` in a separate folder, one job at a time. At its end every program reports how
long it took and whether it had imported torch; its shortest job counts. While other work shares the
machine, CPU time tells more. benchmarks/README.md explains the numbers.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from shared import REPOSITORY, SCRIPTS, load_before

GOAL = 6
FILES = ("Snakefile", "config.yaml", "rules", "workflow", "envs", "profiles/default")
TARGETS = [
    *("fig1_scores.pdf", "fig1_reward.pdf", "fig4_flan.pdf", "fig6_flan.pdf", "fig11_scaled.pdf"),
    *("loss_types.pdf", "similarity_vs_loss.pdf", "fig4_flan_paired.csv", "generalization.csv"),
    *("table4.csv", "leakage.csv", "metric_stability.csv", "metric_tasks.csv"),
]
# Python runs this when it starts, before the program.
WATCH = """
import atexit, os, sys, time
since = time.perf_counter()

def report():
    words = (os.path.basename(sys.argv[0]), time.perf_counter() - since, time.process_time())
    with open(os.environ["STARTUP_TIMES"], "a") as file:
        print(*words, "torch" in sys.modules, file=file)

atexit.register(report)
"""


def run(folder: Path) -> list[str]:
    """Run the workflow in an empty folder; return what the programs reported."""
    for name in FILES:
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    times, watch = folder / "times", folder / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH)
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    command += ["--config", "preset=tiny", "seeds=[0]", "--"]
    done = subprocess.run(
        [*command, *(f"results/{name}" for name in TARGETS)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(watch), "STARTUP_TIMES": str(times)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout[-2000:])
    return times.read_text().splitlines()


def main(arguments: argparse.Namespace) -> None:
    print(f"start-up, {load_before()}, goal {GOAL} s", flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        lines = run(Path(temporary))
    usage = defaultdict(list)
    programs = {path.name for path in SCRIPTS.glob("*.py")}
    for line in lines:
        name, wall, cpu, torch = line.rsplit(maxsplit=3)
        if name in programs:
            usage[name].append((float(wall), float(cpu), torch))
    for name, jobs in sorted(usage.items(), key=lambda item: -min(item[1])[0]):
        wall, cpu, torch = (min(values) for values in zip(*jobs, strict=True))
        print(
            f"{name:<24} {wall:5.1f} s {'met' if wall <= GOAL else 'MISSED'}   of the CPU "
            f"{cpu:5.1f} s   {'torch' if torch == 'True' else '     '}   ({len(jobs)} jobs)"
        )
    print("not run:", ", ".join(sorted(programs - usage.keys())))


if __name__ == "__main__":
    flags = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags.add_argument("--folder", type=Path, help="where the folder of the run is made")
    main(flags.parse_args())
