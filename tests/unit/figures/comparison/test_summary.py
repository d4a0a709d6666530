"""What a comparison found, in words: every case from a made table."""

from collections.abc import Mapping, Sequence

import pandas as pd
import pytest
from runs import noisy, run

from nearfirst.figures.comparison.paired import paired_comparison
from nearfirst.figures.comparison.summary import summary

ONE = {"NFT": 3, "RT": 3}


def made(
    comparisons: Mapping[str, Sequence[float]],
    mean: float = 0.0,
    seeds: int = 3,
    **columns: object,
) -> pd.DataFrame:
    """Make a table with a difference of each sign at steps 10, 20, …; 0 is none detected."""
    rows = [
        {"comparison": name, "steps": steps, "difference": 0.25 * sign or 0.01}
        | {"p_adjusted": 0.01 if sign else 0.5, "seeds": seeds}
        for name, signs in comparisons.items()
        for steps, sign in [
            *((str(10 * at), sign) for at, sign in enumerate(signs, 1)),
            *([(f"10-{10 * len(signs)}", mean)] if len(signs) > 1 else []),
        ]
    ]
    table = pd.DataFrame(rows).assign(metric="loss", instances=80, tasks=16, units="instance")
    table = table.assign(confidence=0.95)
    table["low"], table["high"] = table["difference"] - 0.1, table["difference"] + 0.1
    return table.assign(**columns)


BELOW, ABOVE = "-0.25 [-0.35, -0.15]", "0.25 [0.15, 0.35]"
OTHERS = "; at the other checkpoints no difference is detected."


@pytest.mark.parametrize(
    ("signs", "sentence"),
    [
        (
            [-1, -1, 0, 0],
            f"NFT is below RT from step 10 to 20 (mean difference {BELOW} at step 10, {BELOW} at "
            "step 20); after that no difference is detected.",
        ),
        (
            [0, 0, 1],
            f"NFT is above RT at step 30 (mean difference {ABOVE}); before that no difference is "
            "detected.",
        ),
        (
            [-1, -1, 0, -1],
            f"NFT is below RT from step 10 to 20 (mean difference {BELOW} at step 10, {BELOW} at "
            f"step 20) and at step 40 ({BELOW}){OTHERS}",
        ),
        ([0, -1, 0], f"NFT is below RT at step 20 (mean difference {BELOW}){OTHERS}"),
        (
            [-1, 0, 1, 1],
            f"NFT is below RT at step 10 (mean difference {BELOW}) and above it from step 30 to 40 "
            f"({ABOVE} at step 30, {ABOVE} at step 40){OTHERS}",
        ),
        (
            [1, -1, 0],
            f"NFT is above RT at step 10 (mean difference {ABOVE}) and below it at step 20 "
            f"({BELOW}); after that no difference is detected.",
        ),
        (
            [-1, 1, 1],
            f"NFT is below RT at step 10 (mean difference {BELOW}) and above it from step 20 to 30 "
            f"({ABOVE} at step 20, {ABOVE} at step 30).",
        ),
        (
            [1, 1, 1],
            f"NFT is above RT at every checkpoint (mean difference {ABOVE} at step 10, {ABOVE} at "
            "step 30).",
        ),
        (
            [-1, 0, -1, 0, -1, 1, -1, 0],
            f"NFT is below RT at 4 of 8 checkpoints (mean difference {BELOW} at step 10, {BELOW} "
            f"at step 70) and above it at 1 of 8 checkpoints ({ABOVE} at step 60){OTHERS}",
        ),
        ([0, 0], "No difference between NFT and RT is detected at any checkpoint."),
        ([0], "No difference between NFT and RT is detected."),
        ([-1], f"NFT is below RT at step 10 (mean difference {BELOW})."),
    ],
)
def test_where_the_reference_differs(signs: Sequence[int], sentence: str) -> None:
    text = summary(made({"NFT-RT": signs}), "NFT", ONE)
    assert f" is better. {sentence} Differences are NFT minus the other; " in text


@pytest.mark.parametrize(
    ("mean", "word"), [(-1, f"below RT (mean difference {BELOW})"), (1, "abo")]
)
def test_a_difference_that_only_the_mean_shows(mean: int, word: str) -> None:
    text = summary(made({"NFT-RT": [0, 0]}, mean), "NFT", ONE)
    start = "No difference between NFT and RT is detected at any one checkpoint, but on average "
    assert f"{start}over them NFT is {word}" in text


def test_a_difference_needs_its_p_value_and_its_interval() -> None:
    table = made({"NFT-RT": [-1, -1]})
    none = "No difference between NFT and RT is detected at any checkpoint."
    assert none in summary(table.assign(p_adjusted=0.06), "NFT", ONE)
    assert none in summary(table.assign(high=0.001), "NFT", ONE)
    assert none not in summary(table.assign(p_adjusted=0.06, confidence=0.9), "NFT", ONE)


@pytest.mark.parametrize(
    ("metric", "start"),
    [
        ("loss", "Mean loss of NFT against RT and FFT at the 3 checkpoints that all have, steps 10 "
         "to 30; lower is better."),
        ("rougeL", "Mean ROUGE-L of NFT against RT and FFT at the 3 checkpoints that all have, "
         "steps 10 to 30; higher is better."),
        ("reward", "Mean reward of NFT against RT and FFT at the 3 checkpoints that all have, "
         "steps 10 to 30; higher is better."),
    ],
)  # fmt: skip
def test_every_comparison_has_its_sentence(metric: str, start: str) -> None:
    table = made({"NFT-RT": [1, 1, 1], "NFT-FFT": [0, 0, 0]}, metric=metric)
    text = summary(table, "NFT", {"NFT": 3, "RT": 3, "FFT": 3})
    assert text.startswith(start)
    assert "NFT is above RT at every checkpoint" in text
    assert "No difference between NFT and FFT is detected at any checkpoint." in text
    assert "at a level of 0.05, corrected for 8 comparisons by Holm's method" in text


def test_labels_may_hold_dashes_and_the_reference_may_stand_anywhere() -> None:
    table = made({"a-b-a": [-1, -1], "a-b-a-b-c": [1, 1]})
    text = summary(table, "a-b", {"a": 1, "a-b": 1, "a-b-c": 1})
    assert "a-b is below a at every checkpoint" in text
    assert "a-b is above a-b-c at every checkpoint" in text


def test_one_checkpoint_and_one_comparison_are_not_corrected() -> None:
    text = summary(made({"NFT-RT": [-1]}), "NFT", ONE)
    assert "against RT at step 10, the only checkpoint after the start that all have; " in text
    assert "at a level of 0.05; they speak of" in text


def test_what_the_tests_speak_of() -> None:
    table = made({"NFT-RT": [-1, 0]})
    text = summary(table, "NFT", ONE)
    assert "95% bootstrap intervals, each for itself. Tests are over seeds and instances" in text
    assert "they speak of other instances of the same tasks. 80 test instances." in text
    text = summary(table.assign(units="task", confidence=0.9), "NFT", ONE)
    assert "90% bootstrap intervals, each for itself. Tests are over seeds and tasks" in text
    assert "at a level of 0.1, " in text
    assert "they speak of other tasks. 80 test instances in 16 tasks." in text


def test_one_seed_says_so() -> None:
    text = summary(made({"NFT-RT": [-1, 0]}, seeds=1), "NFT", {"NFT": 1, "RT": 1})
    assert "Tests are over instances," in text
    assert "Each arrangement has one run: the findings are about these runs" in text


def test_single_runs_among_several() -> None:
    table = made({"NFT-RT": [-1, 0], "NFT-FFT": [-1, 0]})
    table.loc[table["comparison"] == "NFT-FFT", "seeds"] = 1
    text = summary(table, "NFT", {"NFT": 1, "RT": 6, "FFT": 1})
    assert "6 seeds. NFT and FFT have a single run each, which no seed changes" in text
    assert "NFT-FFT: one pair of runs, with nothing known about seeds." in text
    text = summary(made({"NFT-RT": [-1, 0]}), "NFT", {"NFT": 1, "RT": 3})
    assert "3 seeds, too few to know well how much seeds vary. NFT has a single run, " in text
    assert "one pair" not in text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((-0.24149, -0.33487, -0.14317), "-0.24 [-0.33, -0.14]"),
        ((25.04, 20.6, 30.2), "25 [21, 30]"),
        ((0.00123, 0.0004, 0.0021), "0.0012 [0.0004, 0.0021]"),
        # No bound is rounded to zero: the interval leaves it out.
        ((-0.5, -0.996, -0.004), "-0.500 [-0.996, -0.004]"),
        ((1.0, 1.0, 1.0), "1.0 [1.0, 1.0]"),
    ],
)
def test_numbers_are_short(numbers: Sequence[float], text: str) -> None:
    columns = dict(zip(("difference", "low", "high"), numbers, strict=True))
    assert f"(mean difference {text})" in summary(made({"NFT-RT": [1]}, **columns), "NFT", ONE)


def test_no_summary_says_that_there_is_no_difference() -> None:
    """Of a whole comparison, with equal runs among others."""
    runs = noisy({"NFT": -3.0, "RT": 0.0}, seeds=4, instances=20)
    runs |= {("same", seed): runs["NFT", seed] for seed in range(4)}
    table = paired_comparison(runs, "NFT", 0.95, 200, 0)
    text = summary(table, "NFT", {"NFT": 4, "RT": 4, "same": 4})
    assert "NFT is below RT at every checkpoint" in text
    assert "No difference between NFT and same is detected at any checkpoint." in text
    assert text.endswith("Where no difference is detected, there may be one all the same.")
    one = {(label, 0): run({0: (1,), 10: (value,)}) for label, value in (("a", 1), ("b", 2))}
    text = summary(paired_comparison(one, "a", 0.95, 200, 0), "a", {"a": 1, "b": 1})
    assert "No difference between a and b is detected." in text
