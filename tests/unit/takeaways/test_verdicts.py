"""Verdicts: all four by hand, with Holm's correction, in a table and in words."""

from collections.abc import Sequence
from math import inf, nan

import numpy as np
import pytest
from runs import run

from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.figure import Curve, RunId
from nearfirst.figures.run import Run
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.takeaways.evidence import Method
from nearfirst.takeaways.subjects import Subject
from nearfirst.takeaways.verdicts import caption, holm, region_text, sentence, takeaways, verdict

TASKS = "stuvwxyz"
CLAIM = "tma-near-tasks-run"


def test_holm_by_hand() -> None:
    # 4 x .005, 3 x .01, 2 x .03, and .04, which is no less than the one before.
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("interval", "where", "p_value", "expected"),
    [
        ((-2, -1), (-inf, 0), 0.05, "confirmed"),
        ((-2, -1), (-inf, 0), 0.051, "undecided"),
        ((1, 2), (-inf, 0), 0.01, "refuted"),
        ((-1, 1), (-inf, 0), 0.01, "undecided"),
        ((10, 10), (-inf, 10), 0.01, "confirmed"),
        ((20, inf), (-inf, 10), 0.01, "refuted"),
        ((-0.1, 0.05), (-0.1, 0.1), 0.01, "confirmed"),
        ((-0.3, -0.2), (-0.1, 0.1), 0.01, "refuted"),
        ((-0.2, 0.05), (-0.1, 0.1), 0.01, "undecided"),
        ((0.6, 1), (0.5, 1), 0.01, "confirmed"),
        ((nan, nan), (-inf, 0), nan, "not testable here"),
    ],
)
def test_verdict(
    interval: tuple[float, float], where: tuple[float, float], p_value: float, expected: str
) -> None:
    assert verdict(interval, where, p_value, 0.05) == expected


def subject(claim: str, *arrangements: str) -> Subject:
    roles = [Curve(name, "mine", "specialist-0", name) for name in arrangements]
    return Subject(claim=claim, where="mine", figure="fig", roles=roles, metrics=["loss"])


def runs_of(**losses: Sequence[float]) -> dict[str, dict[RunId, Run]]:
    """Return runs whose loss falls from 9 to the given ones, one instance for each task."""
    runs = {
        RunId("mine", "specialist-0", name, 0): run(
            {0: [9.0] * len(values), 10: values, 20: values}, TASKS[: len(values)]
        )
        for name, values in losses.items()
    }
    return {"loss": runs}


RUNS = runs_of(low=[1.0] * 8, high=[2.0] * 8, mixed=[1.0, 3.0] * 4)


def test_a_row_for_each_verdict() -> None:
    subjects = [
        subject(CLAIM, "low", "high"),
        subject(CLAIM, "high", "low"),
        subject(CLAIM, "mixed", "high"),
        subject(CLAIM, "low", "absent"),
        Subject(claim="rounds"),
        subject("tma-near-tasks-end", "low", "high"),
    ]
    table = takeaways(subjects, RUNS, {}, Method())
    assert table["verdict"].tolist() == [
        *("confirmed", "refuted", "undecided", "not testable here", "not testable here"),
        "confirmed",
    ]
    assert table["effect"].tolist()[:3] == [-1, 1, 0]
    # Eight equal differences: of the 2^7 flips that differ, only one is as large.
    assert table["p_value"].tolist() == pytest.approx(
        [1 / 128, 1 / 128, 1, nan, nan, 1 / 128], nan_ok=True
    )
    # Three primary rows were tested; the end is not one of them.
    assert table["p_holm"].tolist() == pytest.approx(
        [3 / 128, 3 / 128, 1, nan, nan, nan], nan_ok=True
    )
    assert table["primary"].tolist() == ["yes"] * 5 + ["no"]
    assert table["reason"].tolist()[3:5] == [
        "no loss of absent on mine, specialist-0",
        "no figure of this config shows such runs",
    ]
    assert table["takeaway"].tolist() == [5, 5, 5, 5, 6, 5]
    assert (table["n"].iloc[0], table["seeds"].iloc[0], table["units"].iloc[0]) == (8, 1, "tasks")


def test_other_orders_of_the_figure_take_part() -> None:
    runs = runs_of(
        low=[1.0, 2.0] * 4, high=[3.0, 2.5, 2.0, 2.5] * 2, mixed=[4.0, 3.0, 2.0, 1.0] * 2
    )
    alone = subject(CLAIM, "low", "high")
    other = Curve("", "mine", "specialist-0", "mixed")
    table = takeaways([alone, alone.model_copy(update={"others": [other]})], runs, {}, Method())
    by_key = {(run_id.arrangement, run_id.seed): run for run_id, run in runs["loss"].items()}
    figure = paired_comparison(by_key, "low", ComparisonSettings()).iloc[0]
    assert figure["comparison"] == "low-high"
    # p-values are corrected over the comparisons of the figure.
    assert table["p_value"][0] < table["p_value"][1] == figure["p_value"]


def test_words() -> None:
    subjects = [subject(CLAIM, "low", "high"), subject(CLAIM, "low", "absent")]
    table = takeaways(subjects, RUNS, {}, Method())
    confirmed, missing = (sentence(row) for _, row in table.iterrows())
    assert "(mine; fig): confirmed, −1 [−1, −1] nats, claimed < 0, p = 0.0078 after" in confirmed
    assert missing.endswith("not testable here, because no loss of absent on mine, specialist-0.")
    assert "Of 2 rows: 1 confirmed, 0 refuted, 0 undecided, 1 not testable here." in caption(table)
    # What cannot be tested does not count in the correction.
    assert " 1 primary row " in caption(table)
    row = table.iloc[0].copy()
    for bounds, words in (
        ((-inf, 10), "≤ 10"),
        ((0.5, 1), "> 0.5"),
        ((0, inf), "> 0"),
        ((0.4, 0.6), "0.5 ± 0.1"),
        ((-0.25, 0.25), "± 0.25"),
    ):
        row["region_low"], row["region_high"] = bounds
        assert region_text(row) == words
