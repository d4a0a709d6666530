"""Holm's correction: worked values, and its definition by closed testing."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.figures.comparison.holm import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        # 4 × .005, 3 × .01, 2 × .03; and .04 may not fall below .06.
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.01, 0.01, 0.01], [0.03, 0.03, 0.03]),
        ([0.6, 0.5, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]),
    ],
)
def test_worked_values(raw: list[float], adjusted: list[float]) -> None:
    assert holm(raw) == pytest.approx(adjusted)


@given(P_VALUES)
def test_it_is_bonferroni_on_every_subset(raw: list[float]) -> None:
    """A test is called real if no set of tests that it is in can be all null (closed testing)."""
    everyone = range(len(raw))
    subsets = [set(chosen) for size in everyone for chosen in combinations(everyone, size + 1)]
    expected = [
        max(min(1.0, len(its) * min(raw[i] for i in its)) for its in subsets if test in its)
        for test in everyone
    ]
    assert holm(raw) == pytest.approx(expected)
