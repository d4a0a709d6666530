"""The findings of a comparison in words, from hand-made tables."""

from collections.abc import Sequence

import pandas as pd
import pytest
from runs import figure

from nearfirst.figures.comparison.summary import summary, verdict
from nearfirst.figures.registry import KINDS

ROW = KINDS.parse(figure("arrangements", "NFT", "RT", reference="NFT"))


def comparison(
    signs: Sequence[int], run: int = 0, name: str = "NFT-RT", **columns: object
) -> pd.DataFrame:
    """Make a table with a difference of each sign at steps 10, 20, …; 0 is not detected."""
    steps = [str(10 * at) for at in range(1, len(signs) + 1)]
    questions = ["run", "end", *["checkpoint"] * len(signs)]
    difference = pd.Series([run, signs[-1], *signs]) / 4
    known = {"metric": "loss", "instances": 80, "tasks": 16, "units": "task", "confidence": 0.95}
    return pd.DataFrame(
        {
            "comparison": name,
            "question": questions,
            "steps": [f"10-{steps[-1]}", steps[-1], *steps],
            "difference": difference,
            "low": difference - 0.1,
            "high": difference + 0.1,
            "p_value": 0.5 - 1.96 * difference.abs(),
        }
    ).assign(**{**known, **columns})


@pytest.mark.parametrize(
    ("signs", "run", "answers"),
    [
        ([-1, -1, 0], -1, ("lower over", "no difference is detected at its end", "lower at 2 (")),
        ([0, 1], 0, ("no difference is detected over", "higher at its end", "1 (step 20) of 2 ")),
        ([-1, 1], 0, ("p = 0.5", "p = 0.01", "1 (step 10) and higher at 1 (step 20) of 2 ")),
        ([0, 0], 1, ("higher over the run, 0.25 [0.15, 0.35]", "0 [-0.1, 0.1]", "any of 2 ")),
    ],
)
def test_each_question_has_its_answer(
    signs: Sequence[int], run: int, answers: tuple[str, ...]
) -> None:
    sentence = verdict(comparison(signs, run), "Against RT")
    assert sentence.startswith("Against RT: ")
    for answer, part in zip(sentence.split("; "), answers, strict=True):
        assert part in answer


def test_a_difference_needs_its_p_value_and_its_interval() -> None:
    table = comparison([-1, -1], -1)
    for weaker in ({"p_value": 0.06}, {"high": 0.001}, {"high": 0.0}):
        assert verdict(table.assign(**weaker), "RT").count("no difference is detected") == 3
    assert "lower at 2" in verdict(table.assign(p_value=0.06, confidence=0.9), "RT")


def test_runs_that_are_the_same_cannot_differ() -> None:
    sentence = verdict(comparison([0, 0], identical=True), "Against RT")
    assert sentence.startswith("Against RT: cannot differ, because every step")
    assert "detected" not in sentence


def test_every_comparison_has_its_sentence() -> None:
    table = pd.concat(
        [comparison([1, 1], 1, "a-b-a"), comparison([0, 0], 0, "a-b-c")], ignore_index=True
    )
    row = KINDS.parse(figure("arrangements", "a", "a-b", "c", reference="a-b"))
    text = summary(table.assign(metric="rougeL"), row, {"a": 3, "a-b": 3, "c": 1}, [7, 5])
    assert "ROUGE-L of a-b minus that of a and c; higher is better. Against a: higher" in text
    assert " Against c: no difference" in text
    assert "80 instances of 16 tasks. Last step: 20. Rounds of TMA in the pool: 5 to 7. 3 " in text
    assert "One run, paired with every seed of the others: c." in text


@pytest.mark.parametrize(
    ("units", "tasks", "instances", "told"),
    [("task", 5, 80, True), ("task", 6, 80, False), ("instance", 3, 80, False)],
)
def test_too_few_units_to_detect_anything(
    units: str, tasks: int, instances: int, told: bool
) -> None:
    # Of 2^4 patterns of signs up to a common factor, one is as extreme as any: 1/16 > 0.05.
    table = comparison([0], units=units, tasks=tasks, instances=instances)
    text = summary(table, ROW, {"NFT": 3, "RT": 3})
    assert ("With 5 tasks no p-value is below 0.062" in text) == told
    assert "3 seeds, too few to know" in text
