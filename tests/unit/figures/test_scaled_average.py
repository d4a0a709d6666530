"""The scaled average (Eq. 14) by hand."""

import numpy as np
import pytest

from nearfirst.common.errors import InputError
from nearfirst.figures.task_curves import scaled_average


def test_by_hand() -> None:
    average, minimum = np.array([-0.1, -0.2, -0.3]), np.array([-0.4, -0.5, -0.6])
    found = scaled_average(average, minimum)
    np.testing.assert_allclose(found, [-0.25, -0.5, -0.75], rtol=1e-15)
    assert found.mean() == pytest.approx(minimum.mean())


@pytest.mark.parametrize(
    ("average", "minimum"),
    [([0.1, 0.2], [-0.5, -0.6]), ([0.0, 0.0], [-0.5, -0.6]), ([-0.1, -0.1], [0.0, 0.0])],
)
def test_a_scale_that_is_not_positive(average: list[float], minimum: list[float]) -> None:
    with pytest.raises(InputError, match="ratio must be positive and finite"):
        scaled_average(np.array(average), np.array(minimum))
