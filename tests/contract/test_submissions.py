"""The number of batch jobs: rules that take seconds share a job or are local."""

import re

import pytest
import yaml
from checkout import ROOT, Checkout, copy_project
from submissions import LOCAL, submissions

from nearfirst.plan.hours import STAGES

# Rules that take minutes or need a GPU: each of their jobs is a batch job.
SINGLE = {
    *("embed", "train", "evaluate", "generate", "reward", "gather_checkpoints", "harness"),
    *("base_losses", "order_runs", "warm_up", "generate_text", "pretrain", "base_skills"),
    *("dequantize", "preferences", "train_reward"),
}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout with the paper's preset, for dry runs."""
    return copy_project(tmp_path_factory.mktemp("paper"), "paper")


@pytest.mark.parametrize("kept", ["true", "false"])
def test_the_papers_figure_is_at_most_60_submissions(paper: Checkout, kept: str) -> None:
    config = ("--config", "seeds=[0]", f"keep_checkpoints={kept}")
    done = paper.snakemake(
        "--dry-run", "results/fig4_flan.pdf", "--profile", "slurm", *config
    ).stdout
    # Three arrangements in six segments each.
    assert len(re.findall(r"^Job \d+: (?:train|evaluate) ", done, re.MULTILINE)) == 2 * 18
    assert 36 < submissions(done) <= 60


def test_no_group_depends_on_itself_through_a_warm_up_run(paper: Checkout) -> None:
    """One order warms up the gradients that another one, and the similarity of both, go by."""
    config = (
        "preset=tiny",
        "seeds=[0, 1, 2, 3]",
        "representations={less: {kind: gradient}}",
        "similarity={representation: less}",
        "data={flan: {exclude: {exact: true}}}",
        "arrangements={random: {budget: {tokens: 9}}, by-gradient: {like: tma-nearest, "
        "representation: less, budget: {tokens: 9}}}",
        "figures={mine: {kind: tasks, quantities: [loss, cosine-min], "
        "curves: {near: by-gradient, RT: random}}}",
    )
    command = ("--dry-run", "results/mine.pdf", "--profile", "slurm", "--config", *config)
    assert "warm_up" in paper.snakemake(*command).stdout


def rules_with_gpus() -> list[str]:
    """Return the text of each rule that asks for GPUs, from its name on."""
    texts = [path.read_text() for path in (ROOT / "rules").glob("*.smk")]
    rules = [rule for text in texts for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]]
    return [rule for rule in rules if re.search("asks_gpus|[.]gpus,\n", rule)]


def test_a_rule_with_gpus_takes_them_before_it_starts() -> None:
    on_gpus = rules_with_gpus()
    assert len(on_gpus) >= 5
    for rule in on_gpus:
        assert "python -m nearfirst.common.gpus {resources.gpu} python" in rule


def test_the_plan_counts_the_gpus_of_every_rule() -> None:
    names = {rule.partition(":")[0] for rule in rules_with_gpus()}
    assert names | {"warm_up"} == STAGES.keys()  # `use rule train as warm_up`


def test_every_rule_is_grouped_or_local_or_listed_as_single(paper: Checkout) -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    grouped = dict(entry.split("=") for entry in profile["groups"])
    # Rules of figures depend on the rows of the config; no preset has this kind.
    with_advice = ("--config", "figures={advice_flan: {kind: advice}}")
    # One rule a line: its name, with its docstring in parentheses.
    listed = paper.snakemake("--list-rules", *with_advice).stdout.splitlines()
    rules = {line.split()[0] for line in listed if len(line.split()) == 1 or " (" in line}
    assert rules == {*grouped, *SINGLE, *LOCAL}
    assert not grouped.keys() & (SINGLE | LOCAL)
    components = {entry.split("=")[0] for entry in profile["group-components"]}
    assert components <= set(grouped.values())
