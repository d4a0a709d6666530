"""Estimate what a Snakemake call will cost: jobs, hours and disk.

Run it in the project's folder, with the targets, config and profile for Snakemake:

    python workflow/scripts/plan.py results/fig4_flan.pdf --profile slurm --config preset=paper

It counts the remaining jobs without running any. The time of a job is given with --seconds, or else
is the median of the jobs measured so far. A config in a profile is ignored.
"""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.errors import InputError


def main(arguments: argparse.Namespace) -> None:
    """Print jobs and hours by rule, then disk space."""
    # Imported late, so that `--help` starts at once.
    from nearfirst.plan.disk import disk
    from nearfirst.plan.dry_run import dry_run, read_config
    from nearfirst.plan.hours import hours, measured

    call = [*arguments.targets, *(["--forceall"] if arguments.forceall else [])]
    for flag in ("config", "configfile", "profile"):
        if values := getattr(arguments, flag):
            call += [f"--{flag}", *values]
    (jobs, segments), config = dry_run(call), read_config(arguments.configfile, arguments.config)
    seconds = dict(arguments.seconds)
    if unknown := seconds.keys() - jobs:
        raise InputError(f"--seconds {unknown.pop()}: no job of this rule is left to do")
    benchmarks = Path("results", config.run or "", "benchmarks")
    seconds = {rule: seconds.get(rule) or measured(benchmarks, rule) for rule in jobs}
    print(hours(jobs, seconds, config.hardware))
    if segments:
        print("\n" + disk(jobs, segments, config, arguments.steps))


def rule_seconds(text: str) -> tuple[str, float]:
    """Parse RULE=S."""
    rule, _, seconds = text.partition("=")
    return rule, float(seconds)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("targets", nargs="*", metavar="TARGET", help="files to make, as for Snakemake")
    for flag, metavar in (("config", "KEY=VALUE"), ("configfile", "FILE"), ("profile", "NAME")):
        add(f"--{flag}", nargs="+", default=[], metavar=metavar, help="as for Snakemake")
    add("--forceall", action="store_true", help="count all jobs, as if there were no results yet")
    add("--seconds", nargs="+", default=[], type=rule_seconds, metavar="RULE=S", help="of one job")
    add("--steps", type=cli.positive, metavar="N", help="length of runs without a set length")
    cli.run(main, parser.parse_args())
