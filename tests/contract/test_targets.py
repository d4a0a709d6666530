"""Jobs of each target: figures share stages, and every target resolves in every preset."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from checkout import Checkout, copy_project
from configs import PRESETS

from nearfirst.config import load

CONFIG = load({"preset": "mini"}, PRESETS)
FIGURES = list(CONFIG.figures)
EXPLORED = list(CONFIG.data)
TABLES = [
    *("table4", "leakage", "generalization", "comparisons"),
    *("metric_stability", "metric_tasks"),
]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkout]:
    """Return a checkout without results for each preset."""
    folder = tmp_path_factory.mktemp("fresh")
    return {name: copy_project(folder / name, name) for name in ("mini", "paper")}


@pytest.fixture(scope="module")
def default(fresh: dict[str, Checkout]) -> dict[str, dict[str, int]]:
    """Return the jobs of the default target for each preset."""
    return {name: checkout.would_run() for name, checkout in fresh.items()}


@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_the_default_target_is_all_of_them(
    fresh: dict[str, Checkout], default: dict[str, dict[str, int]], preset: str
) -> None:
    rules = default[preset]
    targets = [f"results/{name}.pdf" for name in FIGURES]
    targets += [f"results/explore_{name}.pdf" for name in EXPLORED]
    targets += [f"results/{name}.csv" for name in TABLES]
    # The accuracy of a fetched reward model is not measured.
    targets += ["results/reward_accuracy.csv"] if preset == "mini" else []
    # The takeaways train, generate and score nothing of their own.
    takeaways = {"takeaways": 1, "plot_takeaways": 1}
    assert rules == fresh[preset].would_run(*targets) | takeaways
    assert rules["plot"] == len(FIGURES)
    assert rules["plot_exploration"] == len(EXPLORED)


def test_shared_stages_are_computed_once(default: dict[str, dict[str, int]]) -> None:
    rules = default["mini"]
    assert rules["generate_text"] == 1
    assert rules["generate_corpus"] == 5
    # One run of each arrangement and seed, whatever the number of figures and test sets.
    seeds = 3
    assert rules["pretrain"] == seeds
    # Orders without a seed start from another base model.
    orders = {"random", "round-robin", "cluster", "task-nearest", "tma-nearest", "tma-farthest"}
    orders |= {f"{name}-constant" for name in ("random", "tma-nearest", "tma-farthest")}
    flan = len({*orders, "wsd-nearest", "wsd-farthest", "random-answers"}) * seeds
    buckets, budgets, dialogues, others = 4 * seeds, 5 * seeds, 2 * 3 * seeds, 2 * seeds
    assert rules["train"] == flan + buckets + budgets + dialogues + others
    assert rules["arrange"] == rules["train"]
    # Random order of Flan-mini on two more test seeds and on the generalist set, and so on.
    more_tests = 3 * 2 * seeds + seeds + seeds
    assert rules["evaluate"] == rules["train"] + more_tests


@pytest.mark.parametrize(
    ("preset", "missing"),
    [
        ("paper", {"data/niv2": "data.niv2.path", "data/p3": "data.p3.list"}),
        ("mini", {"data/flan": "data.flan.path", "model/model": "model.name"}),
    ],
)
def test_files_that_the_user_must_place_are_named(
    fresh: dict[str, Checkout], preset: str, missing: dict[str, str]
) -> None:
    targets = [f"results/raw/{source}/fetched.json" for source in missing]
    done = fresh[preset].snakemake(*targets, "--keep-going", check=False)
    assert done.returncode != 0
    for key in missing.values():
        assert re.search(f"^error: {key} is not set, .*docs/data.md", done.stdout, re.MULTILINE)


def test_losses_on_other_data_sets_train_nothing_more(fresh: dict[str, Checkout]) -> None:
    rows = ("figures={gap: {kind: query-gap}}", "evaluate={also: [niv2]}")
    rules = fresh["mini"].would_run("results/gap.pdf", "--config", *rows)
    # Two orders with three seeds each, with losses on two test sets.
    assert (rules["train"], rules["evaluate"], rules["sample"]) == (6, 12, 3)
    assert rules["embed"] == 2


def test_a_figure_may_measure_other_instances_than_its_data_are_arranged_for(
    fresh: dict[str, Checkout],
) -> None:
    data = "data={flan-1: {like: flan, test: specialist-1}}"
    row = "figures={other: {like: fig4_flan, dataset: flan-1, test: specialist-0}}"
    rules = fresh["mini"].would_run("results/other.pdf", "--config", data, row)
    # The training data and the test sets of the order and of the losses. Only the first two have
    # distances.
    assert (rules["sample"], rules["embed"], rules["distances"]) == (3, 2, 1)
    assert rules["train"] == rules["evaluate"] == 9
    # A query set gives the same jobs with one row.
    row = "data={flan: {query: specialist-1}}"
    assert fresh["mini"].would_run("results/fig4_flan.pdf", "--config", row) == rules


@pytest.mark.parametrize(
    ("target", "config", "message"),
    [
        ("fig4_mine.pdf", "seeds=[0]", "--config 'data={mine: {path: pool.jsonl}}'"),
        ("fig4_flan.pdf", "run=second", "no results/fig4_flan.pdf; did you mean 'fig4_flan'"),
        ("second/fig4_flam.pdf", "run=second", "which are below results/second/"),
        ("third/fig4_flan_paired.csv", "seeds=[0]", "with `run: NAME` in the config below"),
        (
            "fig4_mine.pdf",
            "data={mine: {path: rules, test_path: no.jsonl}}",
            "config key 'data.mine.test_path' ('no.jsonl'): no such file",
        ),
        (
            "fig4_mine.pdf",
            "data={mine: {path: rules, test_path: Snakefile, query_path: rules/../Snakefile}}",
            "config key 'data.mine.query_path' ('rules/../Snakefile'): holds what test_path holds",
        ),
        (
            "fig4_flan.pdf",
            "checkpoints={theirs: {path: 'step-{step}'}}",
            "config key 'checkpoints.theirs.path': 'step-{step}': no",
        ),
        (
            "fig4_flan.pdf",
            "figures={takeaways: {like: fig4_flan}}",
            "config key 'figures.takeaways': another output has this name",
        ),
    ],
)
def test_a_call_that_cannot_be_made_is_explained(
    fresh: dict[str, Checkout], target: str, config: str, message: str
) -> None:
    call = ("--dry-run", f"results/{target}", "--config", config)
    done = fresh["mini"].snakemake(*call, check=False)
    assert done.returncode != 0
    assert message in done.stdout


@pytest.mark.parametrize("prefix", ['prefix: "sub"', 'replace_prefix: {"results/": "sub/"}'])
def test_a_prefix_of_a_module_is_refused(
    fresh: dict[str, Checkout], tmp_path: Path, prefix: str
) -> None:
    snakefile = str(fresh["mini"].folder / "Snakefile")
    module = f"module nearfirst:\n    snakefile: {snakefile!r}\n    config: {{}}\n    {prefix}\n"
    (tmp_path / "Snakefile").write_text(f"{module}use rule * from nearfirst\n")
    call = ("--dry-run", "--cores=1", "sub/results/table4.csv")
    assert (
        "set `run` in the module's config"
        in Checkout(tmp_path).snakemake(*call, check=False).stdout
    )


def test_a_file_of_the_user_does_not_stand_for_a_module(tmp_path: Path) -> None:
    folder = copy_project(tmp_path, "tiny").folder
    (folder / "random.py").write_text("raise SystemExit('not the one of Python')\n")
    # In new processes, which have imported nothing.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = ["snakemake", "--cores=1", "results/corpus/norobots"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
