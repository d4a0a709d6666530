"""Captions: words of our own for every figure, and numbers that come from its table."""

import re

import numpy as np
import pandas as pd
import pytest

from nearfirst.figures.catalogue import ArrangementsFigure, FigureSettings
from nearfirst.figures.plot.captions import WORDS, caption


def curve(label: str, last: int = 20, n: int = 3, **cells: object) -> pd.DataFrame:
    table = pd.DataFrame({"step": [0, last], "mean": 1.0, "low": np.nan, "high": np.nan, "n": n})
    return table.assign(
        **{"arrangement": label, "panel": "", "quantity": "loss", "confidence": 0.95, **cells}
    )


def facts(*curves: pd.DataFrame, series: str = "arrangement") -> str:
    """Return what the caption says of a table, after its general words."""
    text = caption("fig4_flan", pd.concat(curves), series)
    assert text.startswith(WORDS["fig4_flan"] + " ")
    return text.removeprefix(WORDS["fig4_flan"] + " ")


def test_every_figure_of_the_config_has_words() -> None:
    assert set(FigureSettings.model_fields) <= set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_words_hold_no_numbers_but_references(name: str) -> None:
    assert not re.search(
        r"\d", re.sub(r"NIV2|P3|Figure \d+|Eq\. \d+|Section [A-C]\.\d", "", WORDS[name])
    )
    number = re.match(r"fig(\d+)_", name)
    if number:
        assert f"After Figure {number[1]}" in WORDS[name]


def test_seeds_instances_interval_and_last_step() -> None:
    counts = {"instances": 80.0, "left_out": 0.0}
    assert facts(curve("NFT", **counts), curve("RT", **counts)) == (
        "Curves are means over 3 seeds, bands their 95% intervals. "
        "Test instances per curve: 80. Last step: 20."
    )


def test_single_runs_are_named() -> None:
    assert facts(curve("NFT", n=1), curve("RT", n=5, confidence=0.999)) == (
        "Curves are means over 5 seeds, bands their 99.9% intervals. "
        "One run, without an interval: NFT. Last step: 20."
    )
    assert facts(curve("NFT", n=1), curve("RT", n=1)) == (
        "Each curve is one run, without an interval. Last step: 20."
    )


def test_what_differs_between_curves_is_a_range() -> None:
    one = curve("a", dataset="P3", instances=118, left_out=2)
    two = curve("a", 192, n=5, dataset="NIV2", instances=120, left_out=np.nan)
    text = facts(one, two, series="dataset")
    assert "over 3 to 5 seeds" in text
    assert "per curve: 118 to 120." in text
    assert "left out because truncation removed their answer: 2." in text
    assert text.endswith("Last step: 20 to 192.")


def test_few_tasks_are_named_and_many_counted() -> None:
    whole = curve("a", panel="all", task="")
    some = [curve("a", panel=f"{i}", task=f"task{i}_x") for i in range(6)]
    assert "Unseen tasks shown: task0_x, task1_x, task2_x, task3_x, task4_x, task5_x. " in facts(
        whole, *some
    )
    assert "Unseen tasks shown: 7. " in facts(whole, *some, curve("a", panel="9", task="task9_x"))
    assert "Unseen tasks" not in facts(whole)


def test_correlations() -> None:
    rows = {"measure": ["m"] * 2, "statistic": ["pooled", "over tasks"], "mean": [0.5, np.nan]}
    counts = {"n": 16, "runs": 9.0, "checkpoints": 19.0, "left_out": [0.0, 4.0], "confidence": 0.9}
    table = pd.DataFrame({**rows, **counts})
    assert caption("similarity_vs_loss", table) == (
        f"{WORDS['similarity_vs_loss']} Bars are 90% bootstrap intervals. Tasks: 16. Runs: 9. "
        "Checkpoints of a run: 19. Series left out because all their distances or losses are "
        "equal: 0 to 4."
    )


def test_a_figure_of_ones_own() -> None:
    table = pd.concat([curve("a"), curve("a", quantity="cosine-min")])
    assert caption("mine", table) == (
        "mine: loss, cosine-min against the training step, one curve for each arrangement. "
        "Curves are means over 3 seeds, bands their 95% intervals. Last step: 20."
    )


@pytest.mark.parametrize(
    ("name", "quantity", "begin"),
    [
        ("fig4_flan", "loss", WORDS["fig4_flan"]),
        ("fig4_flan", "rougeL", "Mean test ROUGE-L on Flan-mini with the training instances "),
        ("fig4_flan", "reward", "Mean test reward on Flan-mini with the training instances "),
        ("fig1_reward", "reward", WORDS["fig1_reward"]),
        ("fig1_reward", "loss", "fig1_reward: loss against the training step, one curve "),
        ("fig1_scores", "score", WORDS["fig1_scores"]),
        ("fig1_loss", "exact_match", "fig1_loss: Exact Match against the training step, one "),
        ("one_of_my_own", "rougeL", "one_of_my_own: ROUGE-L against the training step, one "),
    ],
)
def test_words_are_about_the_metric_that_is_shown(name: str, quantity: str, begin: str) -> None:
    text = caption(name, curve("NFT", quantity=quantity, left_out=1.0))
    assert text.startswith(begin)
    assert ("The paper shows the loss." in text) == (name == "fig4_flan" and quantity != "loss")
    assert ("or they have no reference" in text) == (quantity not in ("loss", "reward"))


def test_all_words_about_a_loss_can_be_about_another_metric() -> None:
    for name in FigureSettings().of(ArrangementsFigure):
        assert WORDS[name].startswith("Mean test loss")
        assert "loss" not in WORDS[name].removeprefix("Mean test loss")
