"""Unseen tasks by the way their loss falls: the criterion by hand, ties, and what is refused."""

import numpy as np
import pytest
from runs import run

from nearfirst.common.errors import InputError
from nearfirst.figures.loss_types import loss_types
from nearfirst.figures.settings import CurveSettings, LossTypesSettings

TASKS = ("flat", "slow", "none", "equal")
# At steps 0, 20, 50, 60: the falls are 4, 4, 0 and 2, of which 3.6, 2, 0 and 2 are soon reached.
LOSSES = {0: (5, 5, 1, 3), 20: (1.4, 4, 1, 1), 50: (2, 3, 2, 2), 60: (1, 1, 3, 1)}


def test_types_by_hand() -> None:
    types, _ = loss_types({("P3", 0): run(LOSSES, TASKS)}, CurveSettings(), LossTypesSettings())
    assert types.columns.tolist() == [
        *("dataset", "task", "start", "lowest", "fall", "share", "type", "n")
    ]
    # Sorted by task: equal, flat, none, slow.
    assert types[["start", "lowest", "fall"]].to_numpy().tolist() == [
        *([3, 1, 2], [5, 1, 4], [1, 1, 0], [5, 1, 4])
    ]
    assert types["share"].tolist() == pytest.approx([1, 0.9, np.nan, 0.5], nan_ok=True)
    flat = "fast then flat"
    assert types["type"].tolist() == [flat, flat, "no fall", "fast then slow"]
    assert (types["dataset"] == "P3").all()
    assert (types["n"] == 1).all()


@pytest.mark.parametrize(
    ("settings", "share", "kind"),
    [
        (LossTypesSettings(within_steps=50), 0.5, "fast then slow"),
        (LossTypesSettings(within_steps=50, fast_share=0.5), 0.5, "fast then flat"),
        (LossTypesSettings(within_steps=49), 0.25, "late"),
        (LossTypesSettings(within_steps=49, late_share=0.25), 0.25, "fast then slow"),
        (LossTypesSettings(within_steps=60), 1, "fast then flat"),
    ],
)
def test_the_criterion_is_the_users(settings: LossTypesSettings, share: float, kind: str) -> None:
    types, _ = loss_types({("P3", 0): run(LOSSES, TASKS)}, CurveSettings(), settings)
    slow = types.set_index("task").loc["slow"]
    assert (slow["share"], slow["type"]) == (share, kind)


def test_the_type_is_that_of_the_mean_over_seeds() -> None:
    # Each alone would be flat; together they reach 1 of 3 within 50 steps.
    runs = {
        ("P3", 0): run({0: (4,), 50: (2,), 60: (2,)}),
        ("P3", 1): run({0: (4,), 50: (4,), 60: (0,)}),
    }
    types, curves = loss_types(runs, CurveSettings(), LossTypesSettings())
    assert types[["start", "lowest", "fall", "n"]].to_numpy().tolist() == [[4, 1, 3, 2]]
    assert types["share"][0] == pytest.approx(1 / 3)
    assert curves["mean"].tolist() == [4, 3, 1]
    assert curves["low"][0] == 4
    assert (curves["low"][1:] < curves["mean"][1:]).all()


def test_the_curves_shown_are_those_that_fall_most() -> None:
    runs = {
        ("NIV2", 0): run(LOSSES, TASKS),
        # Of equal falls the first by name; tasks are means over their instances.
        ("P3", 0): run(
            {0: (9, 5, 5, 4, 6), 50: (1, 1, 1, 0, 0), 60: (1, 1, 1, 0, 0)},
            ("d", "c", "b", "a", "a"),
        ),
    }
    types, curves = loss_types(
        runs, CurveSettings(weighting="token", confidence=0.9), LossTypesSettings(shown=3)
    )
    assert curves.columns.tolist() == [
        *("task", "step", "mean", "low", "high", "n", "panel", "dataset", "type", "share"),
        *("instances", "confidence", "left_out"),
    ]
    shown = curves.drop_duplicates(["panel", "task"])
    assert shown.groupby("panel", sort=False)["task"].agg(list).to_dict() == {
        "NIV2: fast then flat": ["flat", "equal"],
        "NIV2: fast then slow": ["slow"],
        "NIV2: no fall": ["none"],
        "P3: fast then flat": ["d", "a", "b"],
    }
    assert len(types) == 8
    of_a = curves[curves["task"] == "a"]
    assert of_a["mean"].tolist() == [5, 0, 0]
    assert set(of_a["instances"]) == {2}
    assert set(of_a["share"]) == {1.0}
    assert set(curves["confidence"]) == {0.9}
    one = loss_types(runs, CurveSettings(confidence=0.9), LossTypesSettings(shown=1))[1]
    assert one["task"].unique().tolist() == ["flat", "slow", "none", "d"]


@pytest.mark.parametrize("steps", [(0, 10, 40), (0, 60, 70), (10, 50)])
def test_runs_that_cannot_be_sorted(steps: tuple[int, ...]) -> None:
    runs = {("P3", 0): run(dict.fromkeys(steps, (1,)))}
    with pytest.raises(InputError, match="P3: loss_types needs step 0, a checkpoint in steps 1 to"):
        loss_types(runs, CurveSettings(), LossTypesSettings())
