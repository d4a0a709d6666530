"""Optimal transport, against a linear program and by hand."""

import numpy as np
import numpy.typing as npt
import pools
import pytest
from scipy.optimize import linprog

from nearfirst.arrange.methods import optimal_transport
from nearfirst.arrange.methods.optimal_transport import transported_costs
from nearfirst.arrange.registry import arrange
from nearfirst.common.errors import InputError

Matrix = npt.NDArray[np.float64]


def linear_program(costs: Matrix) -> Matrix:
    """Return the plan with the least Σ γ_ij c_ij and uniform marginals."""
    points, tests = costs.shape
    rows = np.kron(np.eye(points), np.ones(tests))
    columns = np.kron(np.ones(points), np.eye(tests))
    marginals = np.concatenate([np.full(points, 1 / points), np.full(tests, 1 / tests)])
    result = linprog(costs.reshape(-1), A_eq=np.vstack([rows, columns]), b_eq=marginals)
    assert result.status == 0
    plan: Matrix = result.x.reshape(costs.shape)
    return plan


def random_costs(seed: int, points: int, tests: int) -> Matrix:
    return np.random.default_rng(seed).uniform(-1, 1, (points, tests))


@pytest.mark.parametrize(("points", "tests"), [(6, 4), (4, 6), (9, 3), (1, 5), (5, 1), (12, 12)])
def test_each_points_cost_is_the_linear_programs(points: int, tests: int) -> None:
    """Where the best plan is unique, as for random costs, its parts are too."""
    costs = random_costs(points * tests, points, tests)
    expected = points * (linear_program(costs) * costs).sum(axis=1)
    np.testing.assert_allclose(transported_costs(costs), expected, atol=1e-7)


def test_by_hand() -> None:
    # Point 0 goes to test 0 and point 2 to test 1; point 1 half to each.
    costs = [[0.0, 1.0], [0.5, 0.75], [0.75, 0.25]]
    assert transported_costs(np.array(costs)).tolist() == [0.0, 0.625, 0.25]
    for order, expected in (("nearest", [0, 2, 1]), ("farthest", [1, 2, 0])):
        settings = pools.settings("optimal-transport", order=order)
        assert arrange(pools.from_matrix(costs), settings, 0).order.tolist() == expected


@pytest.mark.parametrize("order", ["nearest", "farthest"])
def test_equal_costs_tie_exactly(order: str) -> None:
    """Masses of 1/21 and 1/3, which floats cannot hold: each test takes the seven nearest to it."""
    costs = np.full((21, 3), 0.9)
    costs[np.arange(21), np.arange(21) % 3] = 0.1
    costs[[3, 4, 5], [0, 1, 2]] = 0.0
    settings = pools.settings("optimal-transport", order=order)
    rows = arrange(pools.from_matrix(costs), settings, 0).order.tolist()
    nearest, others = (rows[:3], rows[3:]) if order == "nearest" else (rows[-3:], rows[:-3])
    assert set(nearest) == {3, 4, 5}
    # If the others' costs were not equal to the bit, no seed would change their order.
    assert others != sorted(others)


def test_a_plan_that_is_not_optimal_is_an_error_and_no_warning(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(optimal_transport, "MAX_PIVOTS", 1)
    with pytest.raises(InputError, match="no optimal plan found"):
        transported_costs(random_costs(0, 30, 20))
    assert not [warning for warning in recwarn if warning.category is UserWarning]
