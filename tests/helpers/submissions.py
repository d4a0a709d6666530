"""Count the jobs that a scheduler would get, from the output of a dry run."""

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
"""Local rules, which run beside Snakemake; a dry run does not mark them."""


def submissions(dry_run_output: str) -> int:
    """Count the submissions in the output of a dry run with a profile for batch jobs.

    A group, with its rules indented below it, is one, and so is any other rule that is not local.
    """
    groups = re.findall(r"^(?:\[.*\] )?Group job .*:$", dry_run_output, re.MULTILINE)
    alone = re.findall(r"^Job \d+: (\w+)", dry_run_output, re.MULTILINE)
    return len(groups) + sum(rule not in LOCAL for rule in alone)
