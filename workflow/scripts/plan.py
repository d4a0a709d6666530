"""Estimate what a Snakemake call will cost: jobs, hours and disk.

Run it in the project's folder, with the targets, config and profile that Snakemake will get:

    python workflow/scripts/plan.py results/fig4_flan.pdf --profile slurm --config preset=paper

It counts the jobs that are left to do, and runs none. The seconds of a job are given here, or are
the median of the jobs measured so far. A config in a profile is not seen.
"""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.errors import InputError


def main(arguments: argparse.Namespace) -> None:
    """Print the jobs and hours by rule, and below them the disk."""
    # `--help` need not wait for the config.
    from nearfirst.plan.disk import disk
    from nearfirst.plan.dry_run import dry_run, read_config
    from nearfirst.plan.hours import hours, measured

    call = [*arguments.targets, *(["--forceall"] if arguments.forceall else [])]
    for flag in ("config", "configfile", "profile"):
        if values := getattr(arguments, flag):
            call += [f"--{flag}", *values]
    found, config = dry_run(call), read_config(arguments.configfile, arguments.config)
    given = dict(arguments.seconds)
    if others := given.keys() - found.jobs:
        raise InputError(f"--seconds {others.pop()}: no job of this rule is left to do")
    past = arguments.benchmarks or Path("results", config.run or "", "benchmarks")
    seconds = {rule: given.get(rule) or measured(past, rule) for rule in found.jobs}
    print(hours(found.jobs, seconds, config.hardware))
    if found.segments():
        print("\n" + disk(found, config, arguments.steps))


def rule_seconds(text: str) -> tuple[str, float]:
    """Read RULE=S."""
    rule, _, seconds = text.partition("=")
    return rule, float(seconds)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("targets", nargs="*", metavar="TARGET", help="files to make, as for Snakemake")
    for flag, metavar in (("config", "KEY=VALUE"), ("configfile", "FILE"), ("profile", "NAME")):
        add(f"--{flag}", nargs="+", default=[], metavar=metavar, help="as for Snakemake")
    add("--forceall", action="store_true", help="count all jobs, as if nothing were there")
    add("--seconds", nargs="+", default=[], type=rule_seconds, metavar="RULE=S", help="of one job")
    add("--steps", type=cli.positive, metavar="N", help="of a run without a number of steps")
    add("--benchmarks", type=Path, metavar="FOLDER", help="of another run, to take seconds from")
    cli.run(main, parser.parse_args())
