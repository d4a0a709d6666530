"""Jobs of each target: figures share stages, and every target resolves in every preset."""

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


@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_the_default_target_is_all_of_them(fresh: dict[str, Checkout], preset: str) -> None:
    rules = fresh[preset].would_run()
    targets = [f"results/{name}.pdf" for name in FIGURES]
    targets += [f"results/explore_{name}.pdf" for name in EXPLORED]
    targets += [f"results/{name}.csv" for name in TABLES]
    # The accuracy of a fetched reward model is not measured.
    targets += ["results/reward_accuracy.csv"] if preset == "mini" else []
    # The takeaways train, generate and score nothing of their own.
    takeaways = {"takeaways": 1, "plot_takeaways": 1}
    assert rules == fresh[preset].would_run(*targets) | takeaways
    targets += ["results/takeaways.pdf"]
    assert rules == fresh[preset].would_run(*targets)
    assert rules["plot"] == len(FIGURES)
    assert rules["plot_exploration"] == len(EXPLORED)


def test_each_target_resolves(fresh: dict[str, Checkout]) -> None:
    for preset in ("mini", "paper"):
        for name in ("fig1_loss.pdf", "fig7_seeds.pdf", "fig12_selection.pdf", "table4.csv"):
            rules = fresh[preset].would_run(f"results/{name}")
            assert rules.get("plot", 0) == name.endswith("pdf")
            assert rules["sample"] >= 2


def test_shared_stages_are_computed_once(fresh: dict[str, Checkout]) -> None:
    rules = fresh["mini"].would_run()
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


def test_the_paper_preset_trains_in_segments(fresh: dict[str, Checkout]) -> None:
    rules = fresh["paper"].would_run("results/fig4_flan.pdf")
    # 1,797 steps in segments of 300, three arrangements, one seed; no model is pretrained.
    assert rules["train"] == rules["evaluate"] == 3 * 6
    assert rules["embed"] == 2 * 2
    assert rules["fetch"] == 2
    assert not {"pretrain", "generate_corpus"} & set(rules)


def test_p3_is_not_fetched_without_its_list(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path, "paper")
    done = checkout.snakemake("results/raw/data/p3/fetched.json", check=False)
    assert done.returncode != 0
    assert "error: data.p3.list is not set" in done.stdout


@pytest.mark.parametrize(
    ("preset", "source", "key"),
    [
        ("paper", "data/niv2", "data.niv2.path"),
        ("tiny", "data/flan", "data.flan.path"),
        ("tiny", "model/model", "model.name"),
    ],
)
def test_files_that_the_user_must_place_are_named(
    tmp_path: Path, preset: str, source: str, key: str
) -> None:
    checkout = copy_project(tmp_path, preset)
    done = checkout.snakemake(f"results/raw/{source}/fetched.json", check=False)
    assert done.returncode != 0
    assert f"error: {key} is not set" in done.stdout
    assert "docs/data.md" in done.stdout


def test_a_target_outside_the_folder_of_its_run_is_told_where_that_is(tmp_path: Path) -> None:
    checkout = copy_project(tmp_path, "tiny")
    flags = ("--dry-run", "--config", "run=second")
    done = checkout.snakemake("results/fig4_flan.pdf", *flags, check=False)
    assert done.returncode != 0
    assert "there is no results/fig4_flan.pdf" in done.stdout
    assert "below results/second/" in done.stdout
    done = checkout.snakemake("results/second/fig4_flam.pdf", *flags, check=False)
    assert "did you mean 'fig4_flan'" in done.stdout
    target = "results/third/fig4_flan_paired.csv"
    done = checkout.snakemake(target, "--dry-run", check=False)
    assert done.returncode != 0
    assert f"there is no {target} without `run: third`" in done.stdout


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


@pytest.mark.parametrize("name", ["takeaways", "explore_flan", "fig4_flan_paired"])
def test_a_figure_has_a_name_of_its_own(fresh: dict[str, Checkout], name: str) -> None:
    row = f"figures={{{name}: {{like: fig4_flan}}}}"
    done = fresh["mini"].snakemake("-n", "--config", row, check=False)
    assert done.returncode == 1
    assert f"config key 'figures.{name}': another output has this name" in done.stdout
