"""What the plan reads of Snakemake's dry runs and of its refusals."""

import pytest
from checkout import Checkout

from nearfirst.common.errors import InputError
from nearfirst.plan.dry_run import parse, reason, submissions

SNAKEFILE = """
localrules: here
rule all:
    input: "a.txt", "b-2.txt", "b-3.txt", "c.txt"
rule make:
    output: "a.txt", "a.log"
    group: "light"
    shell: "touch {output}"
rule pair:
    input: "a.txt"
    output: "b-{n}.txt"
    benchmark: "seconds-{n}.tsv"
    group: "light"
    resources: gpu=2, runtime=5
    shell: "touch {output}"
rule here:
    output: "c.txt"
    shell: "echo 'rule fake:' > {output}"
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a real dry run with groups, local rules and commands."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "Snakefile").write_text(SNAKEFILE)
    flags = ("--dry-run", "--executor", "slurm", "--jobs", "9", "--printshellcmds")
    return Checkout(folder).snakemake("all", *flags).stdout


def test_every_job_is_read_with_its_group_and_what_it_asks_for(text: str) -> None:
    jobs = parse(text)
    assert sorted(job.rule for job in jobs) == ["all", "here", "make", "pair", "pair"]
    by_outputs = {job.outputs: job for job in jobs}
    assert by_outputs["a.txt", "a.log"].wildcards == {}
    pair = by_outputs[("b-3.txt",)]
    assert pair.wildcards == {"n": "3"}
    assert pair.resources["gpu"] == "2"
    assert pair.resources["runtime"] == "5"
    assert pair.benchmark == "seconds-3.tsv"
    assert pair.group == ("light", 1) == by_outputs["a.txt", "a.log"].group
    assert by_outputs[("c.txt",)].group is None
    assert len({job.key for job in jobs}) == 5


def test_a_group_is_one_submission_and_a_local_rule_none(text: str) -> None:
    jobs = parse(text)
    assert submissions(jobs, {"all", "here"}) == 1
    assert submissions(jobs, {"all"}) == 2
    assert submissions(parse(text.replace("Group job", "Other")), {"all", "here"}) == 3


def test_nothing_to_do_is_no_job() -> None:
    assert parse("Building DAG of jobs...\nNothing to be done (all files present).\n") == []


def test_a_dry_run_that_hides_jobs_is_refused(text: str) -> None:
    lines = text.splitlines()
    quiet = "\n".join(line for line in lines if "rule pair" not in line)
    with pytest.raises(InputError, match=r"lists 3 jobs, but counts 5; .*quiet"):
        parse(quiet)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            "Building DAG of jobs...\nMissingRuleException:\nNo rule to produce x.pdf (if …).\n",
            "No rule to produce x.pdf (if …).",
        ),
        (
            'WorkflowError in file "/a/common.smk", line 23:\n'
            "config key 'a': wrong\nconfig key 'b': wrong too\n"
            '  File "/a/common.smk", line 23, in <module>\n',
            "config key 'a': wrong config key 'b': wrong too",
        ),
        (
            "Using profile x.\nError: profile directory given (x), but no profile.yaml found.\n",
            "profile directory given (x), but no profile.yaml found.",
        ),
        (
            "Traceback (most recent call last):\n\nValueError: not enough values\n\n"
            "During handling of the above exception, another exception occurred:\n\n"
            "ValueError: Config entries are name=value pairs.\n\n",
            "Config entries are name=value pairs.",
        ),
        ("usage: snakemake\nsnakemake: error: unrecognized --x\n", "unrecognized --x"),
        ("Killed\n\n", "Killed"),
        ("", "no reason given"),
    ],
)
def test_why_snakemake_refused_is_one_line(output: str, expected: str) -> None:
    assert reason(output) == expected
