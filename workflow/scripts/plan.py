"""Say what a call of Snakemake will compute and cost, before it is made.

Run it in the project's folder, with the targets, config and profile that Snakemake will get:

    python workflow/scripts/plan.py results/fig4_flan.pdf --profile slurm --config preset=paper

It prints the jobs of each rule and the batch jobs they make, the bytes of checkpoints and training
states on disk, and GPU-hours. It counts what is left to do and what that adds to the disk, and
submits and computes nothing.

Rates are measured: by the jobs of these targets that are done and up to date, from
results/benchmarks, or by you, given here. Without one there are no hours, only the time limits that
the jobs ask for.
"""

import argparse
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing

UNITS = {
    "train": "step",
    "evaluate": "checkpoint",
    "generate": "checkpoint",
    "reward": "checkpoint",
}
"""Of the rules whose rate may be given, what it is a rate of."""


def main(arguments: argparse.Namespace) -> None:
    """Ask Snakemake what it would do, and print what that takes."""
    # Snakemake takes a second to import: `--help` need not wait for it.
    from nearfirst.plan.dry_run import dry_run
    from nearfirst.plan.plan import make_plan
    from nearfirst.plan.project import load_project
    from nearfirst.plan.rates import Rate
    from nearfirst.plan.text import text_of

    given = list(arguments.targets)
    for flag in ("config", "configfile", "profile"):
        if values := getattr(arguments, flag):
            given += [f"--{flag}", *values]
    # What is up to date tells nothing where nothing was measured.
    runs = [given]
    if arguments.from_nothing or Path("results/benchmarks").is_dir():
        runs.append([*given, "--forceall"])
    with ThreadPoolExecutor() as pool:
        needed, *whole = pool.map(dry_run, runs)
    everything = whole[0] if whole else needed
    project = load_project(given)
    given_rates = {
        rule: Rate(seconds, unit, "given")
        for rule, unit in UNITS.items()
        if (seconds := getattr(arguments, f"{rule}_seconds_per_{unit}")) is not None
    }
    plan = make_plan(
        project,
        everything if arguments.from_nothing else needed,
        needed,
        everything,
        parameters=arguments.parameters,
        at_once=arguments.at_once,
        rates=given_rates,
    )
    what = "from nothing" if arguments.from_nothing else "what is left to do"
    names = " ".join(arguments.targets) or "all targets"
    title = f"{names}, preset {project.config.preset}: {what}"
    if arguments.json:
        content = {"title": title, **dataclasses.asdict(plan)}
        with writing(arguments.json) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n")
    print(text_of(plan, title))


def positive_seconds(text: str) -> float:
    """Return the number above 0 that a flag gives."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds, above 0")
    return seconds


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("targets", nargs="*", metavar="TARGET", help="file to make; none: all (before the flags)")
    add("--config", nargs="+", metavar="KEY=VALUE", help="as Snakemake's")
    add("--configfile", nargs="+", metavar="FILE", help="as Snakemake's")
    add("--profile", nargs="+", metavar="NAME", help="as Snakemake's, `slurm` for instance")
    add("--from-nothing", action="store_true", help="as if nothing were there yet")
    add(
        "--parameters",
        type=cli.positive,
        metavar="N",
        help="parameters of the base model (default: its config.json, or the config says)",
    )
    add(
        "--at-once",
        type=cli.positive,
        metavar="N",
        help="most runs in flight at a time, in training or not yet evaluated (default: all)",
    )
    for name, unit in UNITS.items():
        add(
            f"--{name}-seconds-per-{unit}",
            type=positive_seconds,
            metavar="S",
            help=f"seconds of rule {name} for a {unit}, on the GPUs of one job (default: measured)",
        )
    add("--json", type=Path, metavar="FILE", help="write the numbers here, too")
    cli.run(main, parser.parse_args())
