"""Correction of p-values for multiple comparisons."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def holm(p_values: Floats | Sequence[float]) -> Floats:
    """Return the adjusted p-values of a family of tests, in their order.

    Holm's step-down method (Scandinavian Journal of Statistics 6, 1979): the k-th smallest of n
    p-values is multiplied by n + 1 - k, and none may be smaller than the one before. Calling every
    difference real whose adjusted value is at most α is wrong about any of them with probability
    at most α, however the tests depend on each other. They do: checkpoints of one run are much
    alike, and all comparisons of a figure share their reference.

    Parameters
    ----------
    p_values
        (tests,), each from 0 to 1.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return adjusted
