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
"""Rules that run on the submitting machine; a dry run does not mark them."""


def submissions(dry_run_output: str) -> int:
    """Count the submissions in the output of a dry run with a profile for batch jobs.

    Each group, with its rules indented below it, is one, and so is each other job of a rule that is
    not local.
    """
    groups = re.findall(r"^(?:\[.*\] )?Group job .*:$", dry_run_output, re.MULTILINE)
    single = re.findall(r"^Job \d+: (\w+)", dry_run_output, re.MULTILINE)
    return len(groups) + sum(rule not in LOCAL for rule in single)
