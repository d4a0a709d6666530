"""What the figures and tables of a config may name."""

import pytest
from configs import PRESETS, nested, refusal

from nearfirst.config import load


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("figures.fig1_loss.test", "heldout", "flan has no 'heldout'"),
        ("figures.fig7_seeds.tests", ["specialist-0", "heldout"], "flan has no 'heldout'"),
        ("tables.table4.splits.flan", ["train", "heldout"], "flan has no 'heldout'"),
        ("tables.table4.splits.sharegpt", ["specialist-0"], "it has 'heldout'"),
        ("figures.fig7_seeds.tests", ["specialist-0", "specialist-0"], "twice"),
        ("figures.fig11_scaled.quantities", ["loss", "loss"], "twice"),
        ("tables.generalization", ["fig4_flan", "fig4_flan"], "twice"),
        ("tables.metrics.test", "heldout", "niv2 has no 'heldout'"),
        ("figures.fig1_scores.metrics", ["rouge1", "loss"], "do not share an axis"),
        ("reward.preferences.datasets", ["flan", "niv2", "flan"], "twice"),
        ("scores.tokenizer", "no such", "is neither words, model, a folder here nor"),
        ("evaluate.also", ["flann"], "there is no data set 'flann'"),
        ("data.flan.test", "heldout", "pattern"),
        ("figures.fig7_seeds.tasks", [" x"], "pattern"),
        ("figures.fig1_loss.curves", {"": "flan"}, "pattern"),
        ("tables.table4.splits", {}, "at least 1"),
        ("tables.table4.expected.flan", {"specialist": {"tasks": 3}}, "pattern"),
        ("tables.table4.expected", {"flann": {"train": {"tasks": 3}}}, "did you mean 'flan'?"),
    ],
)
def test_a_name_that_cannot_be_used(key: str, value: object, reason: str) -> None:
    message = refusal(nested(key, value))
    assert message.startswith(f"config key '{key}")
    assert reason in message


@pytest.mark.parametrize(
    ("figure", "content", "reason"),
    [
        ("fig7_seeds", {"tasks": ["a", "b"]}, "'test' would put 2 tasks"),
        ("fig2_permutations", {"tests": ["specialist-0", "specialist-1"]}, "put 2 tests"),
        ("nine_similarities", {"pick": [2, 0, 2]}, "'quantity' would put 2 tasks"),
    ],
)
def test_a_panel_holds_one_task_and_one_test_set(
    figure: str, content: dict[str, object], reason: str
) -> None:
    message = refusal({"figures": {figure: content}})
    assert message.startswith(f"config key 'figures.{figure}.panels': ")
    assert reason in message


def test_no_preset_answers_in_an_arithmetic_in_which_batches_matter() -> None:
    for preset in PRESETS.glob("*.yaml"):
        assert load({"preset": preset.stem}, PRESETS).generate.precision != "float16"
