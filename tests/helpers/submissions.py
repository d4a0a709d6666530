"""How many jobs a scheduler would be given, from what a dry run says."""

import re

LOCAL = {
    "all",
    "figures",
    "tables",
    "fetch",
    "check_reward",
    "wait_for_evaluation",
    "no_such_target",
}
"""Rules that run where Snakemake does; a dry run does not tell them from the others."""


def submissions(dry_run_output: str) -> int:
    """Count the submissions that a dry run with a profile for batch jobs foretells.

    A group is one, and its rules stand indented below it; a rule outside groups is one; a local
    rule is none.
    """
    groups = re.findall(r"^(?:\[.*\] )?Group job .*:$", dry_run_output, re.MULTILINE)
    alone = re.findall(r"^Job \d+: (\w+)", dry_run_output, re.MULTILINE)
    return len(groups) + sum(rule not in LOCAL for rule in alone)
