"""The average distance on the scale of the minimum one."""

import numpy as np
import numpy.typing as npt

from nearfirst.errors import InputError

Floats = npt.NDArray[np.float64]


def scaled_average(average: Floats, minimum: Floats) -> Floats:
    """Bring the Cosine-Avg of one run to the magnitude of its Cosine-Min (Eq. 14).

    Parameters
    ----------
    average, minimum
        (K,) Cosine-Avg and Cosine-Min at the checkpoints of the run.

    Raises
    ------
    InputError
        If the factor is not positive and finite: the curve would be upside down, or none.
    """
    means = float(minimum.mean()), float(average.mean())
    factor = means[0] / means[1] if means[1] else float("nan")
    if not 0 < factor < float("inf"):
        raise InputError(
            f"Scaled Cosine-Avg: the mean of Cosine-Min is {means[0]:.4g}, that of Cosine-Avg "
            f"{means[1]:.4g}; their ratio must be positive and finite, so these curves cannot be "
            "scaled to each other"
        )
    return average * factor
