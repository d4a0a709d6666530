"""Curves and their intervals, by hand and against SciPy."""

import pytest
from runs import run
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import curves
from nearfirst.figures.settings import CurveSettings


def test_curves_by_hand() -> None:
    runs = {
        ("RT", 0): run({0: (1, 3), 10: (1, 1)}),
        ("NFT", 0): run({0: (0, 0), 5: (0, 2)}),
        ("RT", 7): run({0: (4, 4), 10: (1, 1)}),
    }
    table = curves(runs, CurveSettings(confidence=0.9))
    assert table.columns[:6].tolist() == ["arrangement", "step", "mean", "low", "high", "n"]
    # Arrangements come in the order given: it is the legend's.
    assert table[["arrangement", "step", "mean", "n"]].to_numpy().tolist() == [
        *(["RT", 0, 3.0, 2], ["RT", 10, 1.0, 2], ["NFT", 0, 0.0, 1], ["NFT", 5, 1.0, 1]),
    ]
    reach = stats.t.ppf(0.95, 1) * 1.0  # seeds 2 and 4: their mean has a standard error of 1
    assert table["low"][0] == pytest.approx(3.0 - reach)
    assert table["high"][0] == pytest.approx(3.0 + reach)
    assert table.loc[2:, ["low", "high"]].isna().to_numpy().all()
    assert set(table["instances"]) == {2}
    assert set(table["confidence"]) == {0.9}
    # Three label tokens and one.
    weighted = curves(
        {("RT", 0): run({0: (1, 3)}, tokens=(3, 1))},
        CurveSettings(weighting="token", confidence=0.9),
    )
    assert weighted["mean"].tolist() == [1.5]


def test_arrangements_have_the_same_instances() -> None:
    runs = {("min", 0): run({0: (1, 3)}), ("other", 0): run({0: (1,)})}
    with pytest.raises(InputError, match=r"min \(seed 0\) and other \(seed 0\).*instance 'b'"):
        curves(runs, CurveSettings())
