"""Verdicts: by hand for each of the four, with Holm's correction, in a table and in words."""

from math import inf, nan

import numpy as np
import pytest
from runs import run

from nearfirst.figures.figure import RunId
from nearfirst.figures.run import Run
from nearfirst.takeaways.evidence import Method
from nearfirst.takeaways.subjects import Role, Subject
from nearfirst.takeaways.verdicts import caption, holm, region, sentence, takeaways, verdict

TASKS = "stuvwxyz"
CLAIM = "tma-near-tasks-run"


def test_holm_by_hand() -> None:
    # 4 x .005, 3 x .01, 2 x .03, and .04, which is no less than the one before.
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])
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


def of(claim: str, ours: str, theirs: str) -> Subject:
    roles = [
        Role(role=name, dataset="mine", test="specialist-0", arrangement=name)
        for name in (ours, theirs)
    ]
    return Subject(claim=claim, where="mine", figure="fig", roles=roles, metrics=["loss"])


def constant(*losses: float) -> Run:
    """Return a run of eight tasks, one instance each, from a loss of 9 on."""
    return run({0: [9.0] * 8, 10: losses, 20: losses}, TASKS)


RUNS = {
    "low": constant(*[1.0] * 8),
    "high": constant(*[2.0] * 8),
    "mixed": constant(*[1.0, 3.0] * 4),
}
FOUND = {
    "loss": {RunId("mine", "specialist-0", name, 0): made for name, made in RUNS.items()},
}


def test_a_row_for_each_verdict() -> None:
    subjects = [
        of(CLAIM, "low", "high"),
        of(CLAIM, "high", "low"),
        of(CLAIM, "mixed", "high"),
        of(CLAIM, "low", "absent"),
        Subject(claim="rounds", missing="no figure of this config shows it"),
        of("tma-near-tasks-end", "low", "high"),
    ]
    table = takeaways(subjects, FOUND, {}, Method())
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
        "no figure of this config shows it",
    ]
    assert table["takeaway"].tolist() == [5, 5, 5, 5, 6, 5]
    assert (table["n"].iloc[0], table["seeds"].iloc[0], table["units"].iloc[0]) == (8, 1, "tasks")


def test_words() -> None:
    subjects = [of(CLAIM, "low", "high"), of(CLAIM, "low", "absent")]
    table = takeaways(subjects, FOUND, {}, Method())
    confirmed, missing = (sentence(row) for _, row in table.iterrows())
    assert confirmed == (
        "5. Nearest first by TMA has a lower test loss than random order (unseen tasks), over the "
        "run (mine; fig): confirmed, −1 [−1, −1] nats, claimed < 0, p = 0.0078 after Holm (sign "
        "flips; 8 tasks, 1 seed)."
    )
    assert missing.endswith("not testable here, because no loss of absent on mine, specialist-0.")
    assert "Of 2 rows: 1 confirmed, 0 refuted, 0 undecided, 1 not testable here." in caption(table)
    row = table.iloc[0].copy()
    for bounds, words in (
        ((-inf, 10), "≤ 10"),
        ((0.5, 1), "> 0.5"),
        ((0, inf), "> 0"),
        ((0.4, 0.6), "0.5 ± 0.1"),
        ((-0.25, 0.25), "± 0.25"),
    ):
        row["region_low"], row["region_high"] = bounds
        assert region(row) == words


def test_two_tasks_are_too_few_for_a_verdict() -> None:
    # With two tasks no number of flips gives a small p-value, however large the difference.
    two = {
        RunId("mine", "specialist-0", name, 0): run({0: (9, 9), 10: (loss, loss)}, "tu")
        for name, loss in (("low", 1.0), ("high", 2.0))
    }
    table = takeaways([of(CLAIM, "low", "high")], {"loss": two}, {}, Method())
    assert table["verdict"].tolist() == ["undecided"]
