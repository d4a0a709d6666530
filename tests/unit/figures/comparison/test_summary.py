"""The findings of a comparison in words, from made tables."""

from collections.abc import Sequence

import pandas as pd
import pytest

from nearfirst.figures.comparison.summary import summary, verdict


def made(
    signs: Sequence[int], mean: int = 0, name: str = "NFT-RT", **columns: object
) -> pd.DataFrame:
    """Make a table with a difference of each sign at steps 10, 20, …; 0 is not detected."""
    steps = [*(str(10 * at) for at in range(1, len(signs) + 1)), f"10-{10 * len(signs)}"]
    rows = [
        {
            "comparison": name,
            "steps": step,
            "difference": 0.25 * sign,
            "p_adjusted": 0.5 - 0.49 * abs(sign),
        }
        for step, sign in zip(steps, [*signs, mean], strict=True)
    ][: len(signs) + (len(signs) > 1)]
    table = pd.DataFrame(rows)
    table = table.assign(low=table["difference"] - 0.1, high=table["difference"] + 0.1)
    known = {
        "metric": "loss",
        "instances": 80,
        "tasks": 16,
        "units": "instance",
        "confidence": 0.95,
    }
    return table.assign(**{**known, **columns})


@pytest.mark.parametrize(
    ("signs", "mean", "where", "numbers"),
    [
        ([-1, -1, 0], -1, "lower at 2 of 3 checkpoints (steps 10 to 20)", "-0.25 [-0.35, -0.15]"),
        ([0, 1], 0, "higher at 1 of 2 checkpoints (step 20)", "0 [-0.1, 0.1]"),
        (
            [-1, 1],
            0,
            "lower at 1 of 2 checkpoints (step 10) and higher at 1 of 2 checkpoints (step 20)",
            "0 [-0.1, 0.1]",
        ),
        ([0, 0], 1, "no difference is detected at any of 2 checkpoints", "0.25 [0.15, 0.35]"),
    ],
)
def test_where_the_reference_differs(
    signs: Sequence[int], mean: int, where: str, numbers: str
) -> None:
    sentence = f"Against RT: {where}; mean over checkpoints {numbers}."
    assert verdict(made(signs, mean), "RT") == sentence


def test_one_checkpoint_has_no_mean() -> None:
    sentence = "Against RT: lower at 1 of 1 checkpoint (step 10); difference -0.25 [-0.35, -0.15]."
    assert verdict(made([-1]), "RT") == sentence


def test_a_difference_needs_its_p_value_and_its_interval() -> None:
    table = made([-1, -1])
    for weaker in ({"p_adjusted": 0.06}, {"high": 0.001}):
        assert "no difference is detected" in verdict(table.assign(**weaker), "RT")
    assert "lower at 2" in verdict(table.assign(p_adjusted=0.06, confidence=0.9), "RT")


def test_every_comparison_has_its_sentence() -> None:
    table = pd.concat([made([1, 1], name="a-b-a"), made([0, 0], name="a-b-c")])
    text = summary(table.assign(metric="rougeL"), "a-b", {"a": 3, "a-b": 3, "c": 1})
    assert text.startswith(
        "Mean ROUGE-L of a-b minus that of a and c; higher is better. Against a: "
    )
    assert " Against c: no difference" in text
    assert "level 0.05, corrected by Holm's method for 6 tests, and generalize to other" in text
    assert "80 instances of 16 tasks. 3 seeds, too few to know how much seeds vary." in text
    assert "One run, paired with every seed of the others: c." in text
    assert text.endswith("Where no difference is detected, there may still be one.")


def test_what_the_tests_generalize_to() -> None:
    assert "to other instances of the same tasks." in summary(made([0]), "NFT", {"NFT": 1, "RT": 1})
    text = summary(made([0], units="task"), "NFT", {"NFT": 5, "RT": 5})
    assert "to other tasks." in text
    assert "5 seeds. " in text


def test_one_run_of_each_says_so() -> None:
    text = summary(made([-1, 0]), "NFT", {"NFT": 1, "RT": 1})
    assert "Each arrangement has one run; other seeds may give other findings." in text
