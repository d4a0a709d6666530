"""Which jobs Snakemake would run, read from its dry run."""

import re
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nearfirst.common.errors import InputError

_RULE = re.compile(r"^( *)(?:local)?(?:rule|checkpoint) (\w+):$")
_GROUP = re.compile(r"Group job (\S+) \(jobs in lexicogr\. order\):$")
_FIELD = re.compile(r"^ +(output|benchmark|wildcards|resources): (.*)$")
_FAULT = re.compile(r"^(?:snakemake: )?(?:\w*(?:Exception|Error)|error)\b(?: in [^:]*)?:(.*)$")


@dataclass(frozen=True)
class Job:
    """One job of a dry run.

    `group` is the name of the group job it is part of and that group job's number, or None.
    """

    rule: str
    wildcards: Mapping[str, str]
    outputs: tuple[str, ...]
    resources: Mapping[str, str]
    benchmark: str | None = None
    group: tuple[str, int] | None = None

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What tells it from all others."""
        return self.rule, self.outputs


def dry_run(arguments: Sequence[str]) -> list[Job]:
    """Return the jobs that Snakemake would run here, with these arguments.

    Raises
    ------
    InputError
        If Snakemake refuses, with its reason in one line.
    """
    command = [sys.executable, "-m", "snakemake", *arguments, "--dry-run", "--nocolor"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise InputError(f"Snakemake cannot plan this: {reason(done.stdout)}")
    return parse(done.stdout)


def parse(text: str) -> list[Job]:
    """Return the jobs that a dry run's text lists.

    Raises
    ------
    InputError
        If it lists other jobs than it counts: Snakemake was told to be quiet, or has a new form.
    """
    found: list[Job] = []
    fields: dict[str, str] = {}
    name, indent, groups = "", "", 0
    group: tuple[str, int] | None = None
    # A line that begins no job ends the last one.
    for line in [*text.splitlines(), "rule end:"]:
        if match := _FIELD.match(line):
            if name and line.startswith(f"{indent}    {match[1]}:"):
                fields[match[1]] = match[2]
            continue
        at_group, at_rule = _GROUP.search(line), _RULE.match(line)
        if not (at_group or at_rule):
            continue
        if name:
            found.append(_job(name, fields, group if indent else None))
            name = ""
        if at_group:
            groups += 1
            group = at_group[1], groups
        elif at_rule:
            fields, indent, name = {}, at_rule[1], at_rule[2]
    said = re.findall(r"^total +(\d+)$", text, re.MULTILINE)
    if len(found) != int(said[0] if said else 0):
        raise InputError(
            f"the dry run lists {len(found)} jobs, but counts {said[0] if said else 'none'}; "
            "a profile must not set `quiet`"
        )
    return found


def _job(rule: str, fields: Mapping[str, str], group: tuple[str, int] | None) -> Job:
    return Job(
        rule,
        _pairs(fields.get("wildcards", "")),
        tuple(fields.get("output", "").split(", ")),
        _pairs(fields.get("resources", "")),
        fields.get("benchmark"),
        group,
    )


def _pairs(text: str) -> dict[str, str]:
    """Return `a=1, b=2` as a mapping: no name of ours holds a comma."""
    return {k: v for k, _, v in (item.partition("=") for item in text.split(", ")) if k}


def submissions(jobs: Sequence[Job], local_rules: Collection[str]) -> int:
    """Return how many batch jobs these are: a group is one, a local rule none."""
    alone = [job for job in jobs if job.group is None and job.rule not in local_rules]
    return len(alone) + len({job.group for job in jobs if job.group})


def reason(text: str) -> str:
    """Return in one line why Snakemake failed, as its output says."""
    # Of an error that arose from another, the later one is meant for the user.
    lines = text.rpartition("During handling of the above exception")[2].splitlines()
    for at, line in enumerate(lines):
        if match := _FAULT.match(line):
            said = [match[1]]
            for more in lines[at + 1 :]:
                if not more.strip() or re.match(r' *(File "|Traceback)', more):
                    break
                said.append(more)
            return " ".join(part.strip() for part in said if part.strip())
    return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
